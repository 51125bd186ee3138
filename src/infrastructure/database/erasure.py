"""What goes when a person asks to be forgotten."""

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from application.users.ports import PersonalRecords
from domain.credits import HoldStatus
from domain.outputs import output_keys
from domain.views import Status
from infrastructure.database.purchases import forget_payers
from infrastructure.database.tables import (
    expected_files,
    holds,
    idempotency_keys,
    identities,
    images,
    password_resets,
    registrations,
    sessions,
    transactions,
    uploads,
    views,
)


class SqlPersonalRecords(PersonalRecords):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def forget_person(self, user_id: int, email: str) -> None:
        for table in (sessions, identities, idempotency_keys):
            await self._session.execute(delete(table).where(table.c.user_id == user_id))
        for table in (registrations, password_resets):
            await self._session.execute(delete(table).where(table.c.email == email))

    async def open_images(self, user_id: int) -> list[int]:
        is_open = exists().where(
            views.c.image_id == images.c.id, views.c.status.in_([Status.PENDING, Status.PROCESSING])
        )
        # What is deleted was cancelled before, and is in no index of its owner's.
        found = select(images.c.id).where(images.c.user_id == user_id, images.c.deleted_at.is_(None), is_open)
        return list(await self._session.scalars(found.order_by(images.c.id)))

    async def pictures(self, user_id: int) -> list[str]:
        photos = await self._session.scalars(select(uploads.c.key).where(uploads.c.user_id == user_id))
        columns = select(images.c.folder, views.c.view, views.c.attempt, views.c.output_key)
        expected = await self._session.scalars(select(expected_files.c.key).where(expected_files.c.user_id == user_id))
        keys = {*photos, *expected}
        for row in await self._session.execute(columns.join_from(images, views).where(images.c.user_id == user_id)):
            keys.update(output_keys(row.folder, row.view, row.attempt))
            if row.output_key is not None:
                keys.add(row.output_key)
        return sorted(keys)

    async def forget_works(self, user_id: int) -> None:
        own = select(images.c.id).where(images.c.user_id == user_id).scalar_subquery()
        # Photos are locked before their try-ons, in the order in which a photo is swept.
        await self._session.execute(select(uploads.c.id).where(uploads.c.user_id == user_id).with_for_update())
        rendered = select(views.c.id).where(views.c.image_id.in_(own)).scalar_subquery()
        await self._session.execute(
            delete(holds).where(holds.c.view_id.in_(rendered), holds.c.status != HoldStatus.PENDING)
        )
        await self._session.execute(delete(views).where(views.c.image_id.in_(own)))
        await self._session.execute(delete(images).where(images.c.user_id == user_id))
        await self._session.execute(delete(uploads).where(uploads.c.user_id == user_id))
        await self._forget_payer(user_id)

    async def _forget_payer(self, user_id: int) -> None:
        # Purchases first: whoever has one of them may yet add an event, and none waits for an event before it has it.
        await self._session.execute(
            update(transactions).where(transactions.c.user_id == user_id).values(checkout_url=None)
        )
        await forget_payers(self._session, select(transactions.c.id).where(transactions.c.user_id == user_id))
