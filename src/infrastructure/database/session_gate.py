"""Checks the sessions of requests against the database, many requests in one query."""

import asyncio
from datetime import timedelta

from application.actor import Actor
from application.auth.ports import AccessClaims, SessionGate
from domain.errors import Forbidden, Unauthenticated
from domain.sessions import SESSION_LIFE
from domain.users import Role
from infrastructure.database.engine import ReadPool

_LARGEST_BATCH = 200

_STANDING = """
SELECT asked.place, users.role, users.is_disabled
FROM unnest($1::bigint[], $2::bigint[], $3::text[]) WITH ORDINALITY AS asked(session_id, user_id, jti, place)
JOIN sessions ON sessions.id = asked.session_id AND sessions.user_id = asked.user_id
    AND sessions.created_at > now() - $4::interval AND sessions.rotated_at > now() - $5::interval
JOIN users ON users.id = sessions.user_id AND (sessions.revoked_at IS NULL OR users.is_disabled)
WHERE NOT EXISTS (SELECT FROM blacklist_tokens WHERE blacklist_tokens.jti = asked.jti)
"""

Standing = tuple[Role, bool]
Question = tuple[AccessClaims, asyncio.Future[Standing | None]]


class BatchingSessionGate(SessionGate):
    """Asks the database about every request, and shares one query among the requests that wait for it.

    While a query is under way, newcomers gather for the next one, as writers do for a group commit. So a session that
    was ended a moment ago is refused by every process, and the check costs a fraction of a query under load.

    A session also ends 30 days after its begin, and when its last refresh token expires unused: whoever asks with a
    token of it is refused by the token already, but a stream asks again long after its token.

    Disabling an account ends its sessions; whoever was signed in is told why, rather than to log in again.
    """

    def __init__(self, pool: ReadPool, refresh_life: timedelta) -> None:
        self._pool = pool
        self._refresh_life = refresh_life
        self._waiting: list[Question] = []
        self._asking: asyncio.Task[None] | None = None

    async def admit(self, claims: AccessClaims) -> Actor:
        answer: asyncio.Future[Standing | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((claims, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        standing = await answer
        if standing is None:
            raise Unauthenticated("not_authenticated", "This session has ended. Please log in.")
        role, is_disabled = standing
        if is_disabled:
            raise Forbidden("account_disabled", "This account is disabled. Please write to us.")
        return Actor.user(
            claims.user_id,
            session_id=claims.session_id,
            token_id=claims.token_id,
            token_expires_at=claims.expires_at,
            role=role,
        )

    async def _ask(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_LARGEST_BATCH], self._waiting[_LARGEST_BATCH:]
                await self._answer(batch)
        finally:
            self._asking = None

    async def _answer(self, batch: list[Question]) -> None:
        try:
            rows = await self._pool.fetch(
                _STANDING,
                [claims.session_id for claims, _ in batch],
                [claims.user_id for claims, _ in batch],
                [claims.token_id for claims, _ in batch],
                SESSION_LIFE,
                self._refresh_life,
            )
            standings: dict[int, Standing] = {row["place"]: (Role(row["role"]), row["is_disabled"]) for row in rows}
        except Exception as failure:  # noqa: BLE001 - each waiting request shall see it
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(failure)
            return
        for place, (_, answer) in enumerate(batch, start=1):
            if not answer.done():
                answer.set_result(standings.get(place))
