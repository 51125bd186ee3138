"""Files that may be in storage though no record names them, and photos that nobody needs."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from application.housekeeping.ports import UnneededFiles
from application.images.upload_ports import EXPECTED_LIFE, DirectUpload, ExpectedFiles
from domain.uploads import INCOMING
from infrastructure.database.tables import expected_files, images, uploads

UNUSED_LIFE = timedelta(days=30)
_CAUGHT_UP = timedelta(days=30)
"""So long housekeeping may stand still and miss nothing; older photos are in use, and need not be looked at again."""
_DELETION_SETTLED = timedelta(days=1)
"""What deleting a try-on brings with it is done by then; until then it sees to the photo itself."""


class SqlExpectedFiles(ExpectedFiles):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: str, *, owner: int) -> None:
        await self._session.execute(insert(expected_files).values(key=key, user_id=owner))

    async def remove(self, key: str) -> bool:
        removed = delete(expected_files).where(expected_files.c.key == key).returning(expected_files.c.key)
        return await self._session.scalar(removed) is not None

    async def direct(self, key: str, *, owner: int) -> DirectUpload | None:
        columns = expected_files.c
        own = select(columns.upload_key).where(columns.key == key, columns.user_id == owner)
        fresh = own.where(columns.created_at > func.now() - EXPECTED_LIFE).with_for_update()
        row = (await self._session.execute(fresh)).one_or_none()
        return DirectUpload(row.upload_key) if row else None

    async def complete(self, key: str, *, upload_key: str) -> None:
        columns = expected_files.c
        open_ = update(expected_files).where(columns.key == key, columns.upload_key.is_(None))
        await self._session.execute(open_.values(upload_key=upload_key))

    async def unfinished(self, owner: int) -> list[datetime]:
        columns = expected_files.c
        begun = select(columns.created_at).where(columns.user_id == owner, columns.upload_key.is_(None))
        direct = begun.where(columns.key.startswith(INCOMING, autoescape=True)).order_by(columns.created_at)
        return list(await self._session.scalars(direct))


class SqlUnneededFiles(UnneededFiles):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def forgotten(self, limit: int) -> list[str]:
        columns = expected_files.c
        # A row that somebody works on is left for the next time, so that nobody waits.
        old = select(columns.key).where(columns.created_at < func.now() - EXPECTED_LIFE).limit(limit)
        keys = list(await self._session.scalars(old.with_for_update(skip_locked=True)))
        await self._session.execute(delete(expected_files).where(columns.key.in_(keys)))
        return keys

    async def unused(self, limit: int) -> list[str]:
        expires = func.now() - UNUSED_LIFE
        old = select(uploads.c.id).where(uploads.c.created_at.between(expires - _CAUGHT_UP, expires), ~_is_needed())
        locked = list(await self._session.scalars(old.limit(limit).with_for_update(skip_locked=True)))
        # Asked once more: before it was locked, a try-on may have been accepted for it.
        still = select(uploads.c.id).where(uploads.c.id.in_(locked), ~_is_needed())
        return await remove_photos(self._session, list(await self._session.scalars(still)))


async def remove_photos(session: AsyncSession, upload_ids: Collection[int]) -> list[str]:
    """Take these rows away, which are locked, and have deleted try-ons name them no more; returns their keys."""
    if not upload_ids:
        return []
    await session.execute(update(images).where(images.c.upload_id.in_(upload_ids)).values(upload_id=None))
    return list(await session.scalars(delete(uploads).where(uploads.c.id.in_(upload_ids)).returning(uploads.c.key)))


def _is_needed() -> ColumnElement[bool]:
    lately = images.c.deleted_at > func.now() - _DELETION_SETTLED
    return exists().where(images.c.upload_id == uploads.c.id, or_(images.c.deleted_at.is_(None), lately))
