"""Answers of requests that may be repeated, kept beside what they answer for."""

import msgspec

from application.ports import IdempotencyKeys, IdempotentRequest, Result
from domain.errors import Conflict, Unprocessable
from infrastructure.database.transaction import Transaction

# Held until the transaction ends: whoever dies while holding it leaves nothing behind.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 1)) AS is_ours"
# Asked when the lock is there: a statement that takes it too would not see what was kept a moment ago.
_FIND = "SELECT fingerprint, result FROM idempotency_keys WHERE user_id = $1 AND route = $2 AND key = $3"
_KEEP = "INSERT INTO idempotency_keys (user_id, route, key, fingerprint, result) VALUES ($1, $2, $3, $4, $5)"


class SqlIdempotencyKeys(IdempotencyKeys):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def replay(self, request: IdempotentRequest | None, result: type[Result]) -> Result | None:
        if request is None:
            return None
        (lock,) = await self._transaction.fetch(_LOCK, f"{request.user_id}\n{request.route}\n{request.key}")
        if not lock["is_ours"]:
            raise Conflict("idempotency_in_progress", "A request with this key is being worked on.")
        found = await self._transaction.fetch(_FIND, request.user_id, request.route, request.key)
        if not found:
            return None
        if found[0]["fingerprint"] != request.fingerprint:
            raise Unprocessable("idempotency_key_reused", "This key came with another request before.")
        return msgspec.json.decode(found[0]["result"], type=result)

    async def keep(self, request: IdempotentRequest | None, result: msgspec.Struct) -> None:
        if request is None:
            return
        answer = msgspec.json.encode(result)
        await self._transaction.fetch(_KEEP, request.user_id, request.route, request.key, request.fingerprint, answer)
