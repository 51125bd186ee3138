"""Tokens that are refused though their time is not over."""

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from application.auth.ports import RevokedTokens
from infrastructure.database.tables import blacklist_tokens


class SqlRevokedTokens(RevokedTokens):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def spend(self, token_id: str, expires_at: datetime) -> bool:
        row = upsert(blacklist_tokens).values(jti=token_id, expires_at=expires_at)
        added = await self._session.execute(row.on_conflict_do_nothing().returning(blacklist_tokens.c.jti))
        return added.one_or_none() is not None

    async def contains(self, token_id: str) -> bool:
        return bool(await self._session.scalar(select(exists().where(blacklist_tokens.c.jti == token_id))))
