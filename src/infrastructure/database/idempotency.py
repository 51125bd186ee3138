"""Answers of requests that may be repeated, kept beside what they answer for."""

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from application.ports import IdempotencyKeys, IdempotentRequest, Result
from domain.errors import Conflict, Unprocessable
from infrastructure.database.tables import idempotency_keys


class SqlIdempotencyKeys(IdempotencyKeys):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def replay(self, request: IdempotentRequest | None, result: type[Result]) -> Result | None:
        if request is None:
            return None
        name = f"{request.user_id}\n{request.route}\n{request.key}"
        # Held until the transaction ends: whoever dies while holding it leaves nothing behind.
        lock = select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 1)))
        if not (await self._session.execute(lock)).scalar_one():
            raise Conflict("idempotency_in_progress", "A request with this key is being worked on.")
        found = await self._session.execute(
            select(idempotency_keys.c.fingerprint, idempotency_keys.c.result).where(
                idempotency_keys.c.user_id == request.user_id,
                idempotency_keys.c.route == request.route,
                idempotency_keys.c.key == request.key,
            )
        )
        row = found.one_or_none()
        if row is None:
            return None
        if row.fingerprint != request.fingerprint:
            raise Unprocessable("idempotency_key_reused", "This key came with another request before.")
        return msgspec.json.decode(row.result, type=result)

    async def keep(self, request: IdempotentRequest | None, result: msgspec.Struct) -> None:
        if request is None:
            return
        row = insert(idempotency_keys).values(
            user_id=request.user_id,
            route=request.route,
            key=request.key,
            fingerprint=request.fingerprint,
            result=msgspec.json.encode(result),
        )
        await self._session.execute(row)
