"""How handlers load and keep entities."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from application.auth.ports import (
    PasswordResetRepository,
    RegistrationRepository,
    SessionRepository,
    UserRepository,
)
from application.images.upload_ports import UploadRepository
from application.styles.ports import StyleRepository
from domain.errors import Conflict
from domain.sessions import Session
from domain.styles import Style
from domain.uploads import Upload
from domain.users import PasswordReset, Registration, User
from infrastructure.database import tables
from infrastructure.database.expected_files import remove_photos

Mailed = TypeVar("Mailed", Registration, PasswordReset)


class SqlUsers(UserRepository):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, user: User) -> None:
        self._session.add(user)

    async def by_id(self, user_id: int) -> User | None:
        return await self._session.get(User, user_id, populate_existing=True)

    async def claim(self, user_id: int) -> User | None:
        return await self._session.get(User, user_id, with_for_update=True, populate_existing=True)

    async def by_email(self, email: str) -> User | None:
        by_email = select(User).where(tables.users.c.email == email)
        return await self._session.scalar(by_email.execution_options(populate_existing=True))


class SqlRegistrations(RegistrationRepository):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, registration: Registration) -> None:
        self._session.add(registration)

    async def by_id(self, registration_id: int) -> Registration | None:
        return await self._session.get(Registration, registration_id)

    async def latest_for(self, email: str) -> Registration | None:
        of_address = select(Registration).where(tables.registrations.c.email == email)
        return await self._session.scalar(of_address.order_by(tables.registrations.c.id.desc()).limit(1))

    async def claim(self, token_hash: bytes) -> Registration | None:
        by_token = select(Registration).where(tables.registrations.c.token_hash == token_hash)
        return await _with_its_address_kept(self._session, by_token)

    async def waiting_for(self, email: str, *, since: datetime) -> list[Registration]:
        columns = tables.registrations.c
        recent = select(Registration).where(columns.email == email, columns.created_at > since)
        return list(await self._session.scalars(recent.order_by(columns.id.desc()).limit(2)))

    async def is_disputed(self, email: str, *, since: datetime) -> bool:
        columns = tables.registrations.c
        of_address = exists().where(columns.email == email, columns.created_at > since, columns.disputed)
        return bool(await self._session.scalar(select(of_address)))

    async def void_all(self, email: str) -> None:
        await self._session.execute(delete(Registration).where(tables.registrations.c.email == email))

    async def keep_address(self, email: str) -> None:
        await keep_address(self._session, email)


class SqlPasswordResets(PasswordResetRepository):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, reset: PasswordReset) -> None:
        self._session.add(reset)

    async def by_id(self, reset_id: int) -> PasswordReset | None:
        return await self._session.get(PasswordReset, reset_id)

    async def claim(self, token_hash: bytes) -> PasswordReset | None:
        by_token = select(PasswordReset).where(tables.password_resets.c.token_hash == token_hash)
        return await _with_its_address_kept(self._session, by_token)

    async def void_all(self, email: str) -> None:
        await self._session.execute(delete(PasswordReset).where(tables.password_resets.c.email == email))


class SqlSessions(SessionRepository):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, session: Session) -> None:
        self._session.add(session)

    async def claim(self, session_id: int) -> Session | None:
        return await self._session.get(Session, session_id, with_for_update=True, populate_existing=True)

    async def revoke_all(self, user_id: int, now: datetime, *, keep: int | None = None) -> None:
        columns = tables.sessions.c
        others = (columns.user_id == user_id, columns.revoked_at.is_(None), columns.id.is_distinct_from(keep))
        await self._session.execute(update(tables.sessions).where(*others).values(revoked_at=now))


class SqlStyles(StyleRepository):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, named: int | str) -> Style | None:
        columns = tables.styles.c
        this = columns.id == named if isinstance(named, int) else columns.slug == named
        locked = select(Style).where(this).with_for_update().execution_options(populate_existing=True)
        return await self._session.scalar(locked)

    async def add(self, style: Style) -> None:
        self._session.add(style)
        try:
            await self._session.flush()
        except IntegrityError as taken:
            raise Conflict("conflict", f"There is a style {style.slug} already.") from taken

    async def last_position(self) -> int:
        return await self._session.scalar(select(func.max(tables.styles.c.position))) or 0


class SqlUploads(UploadRepository):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, upload: Upload) -> None:
        self._session.add(upload)

    async def by_key(self, key: str, *, owner: int) -> Upload | None:
        own = select(Upload).where(tables.uploads.c.key == key, tables.uploads.c.user_id == owner)
        return await self._session.scalar(own.with_for_update(read=True, key_share=True))

    async def sweep(self, upload_id: int) -> str | None:
        columns = tables.uploads.c
        # Locked before it is asked who needs it: whoever has picked the photo is waited for.
        await self._session.execute(select(columns.id).where(columns.id == upload_id).with_for_update())
        shown = exists().where(tables.images.c.upload_id == upload_id, tables.images.c.deleted_at.is_(None))
        if await self._session.scalar(select(shown)):
            return None
        return next(iter(await remove_photos(self._session, [upload_id])), None)


async def _with_its_address_kept(session: AsyncSession, by_token: Select[Mailed]) -> Mailed | None:
    """What a mailed token stands for, read once more after waiting for whoever else has the address."""
    found = await session.scalar(by_token)
    if found is None:
        return None
    await keep_address(session, found.email)
    return await session.scalar(by_token.execution_options(populate_existing=True))


async def keep_address(session: AsyncSession, email: str) -> None:
    """Keep an address to this transaction: two links of one address used at once would each void the other."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(email, 0))))
