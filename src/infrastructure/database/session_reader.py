"""How a customer's sessions are listed."""

from datetime import timedelta

from application.auth.ports import SessionItem, SessionReader
from domain.identifiers import LARGEST_ID
from domain.sessions import SESSION_LIFE
from infrastructure.database.engine import ReadPool


class SqlSessionReader(SessionReader):
    """A session ends after 30 days, or when its last refresh token has expired unused."""

    def __init__(self, pool: ReadPool, refresh_life: timedelta) -> None:
        self._pool = pool
        self._refresh_life = refresh_life

    async def alive(self, user_id: int, *, current: int | None, before: int | None, limit: int) -> list[SessionItem]:
        rows = await self._pool.fetch(
            """
            SELECT id, user_agent, ip, created_at, last_used_at, id IS NOT DISTINCT FROM $2::bigint AS current
            FROM sessions
            WHERE user_id = $1 AND revoked_at IS NULL AND created_at > now() - $5::interval
                AND rotated_at > now() - $6::interval AND id < $3
            ORDER BY id DESC LIMIT $4
            """,
            user_id,
            current,
            LARGEST_ID if before is None else before,
            limit,
            SESSION_LIFE,
            self._refresh_life,
        )
        return [SessionItem(**row) for row in rows]
