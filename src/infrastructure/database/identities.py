"""Which users are which persons at an OpenID provider."""

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from application.auth.ports import IdentityRepository, ProviderIdentity
from infrastructure.database.repositories import keep_address
from infrastructure.database.tables import identities

_LOCK_SEED = 2
"""Keeps these advisory locks apart from those on addresses and idempotency keys."""


class SqlIdentities(IdentityRepository):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, identity: ProviderIdentity) -> int | None:
        name = f"{identity.issuer}\n{identity.subject}"
        await self._session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, _LOCK_SEED))))
        # Always after the identity, so that no two sign-ins wait for each other.
        await keep_address(self._session, identity.email.strip().lower())
        known = select(identities.c.user_id).where(
            identities.c.issuer == identity.issuer, identities.c.subject == identity.subject
        )
        return await self._session.scalar(known)

    async def exists_for(self, user_id: int) -> bool:
        return (
            await self._session.scalar(select(identities.c.subject).where(identities.c.user_id == user_id)) is not None
        )

    async def add(self, user_id: int, identity: ProviderIdentity, now: datetime) -> None:
        row = insert(identities).values(
            issuer=identity.issuer,
            subject=identity.subject,
            user_id=user_id,
            picture_url=identity.picture_url,
            created_at=now,
        )
        await self._session.execute(row)

    async def picture_url(self, user_id: int) -> str | None:
        return await self._session.scalar(select(identities.c.picture_url).where(identities.c.user_id == user_id))
