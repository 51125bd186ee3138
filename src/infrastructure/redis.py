"""Redis, as everything here reaches it: nothing is lost without it, so nobody waits for it for long."""

import asyncio
from collections.abc import Coroutine
from urllib.parse import urlsplit

import structlog
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

log = structlog.get_logger()

CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 2.0


def open_pool(url: str, *, connections: int, answer_seconds: float = _ANSWER_SECONDS) -> BlockingConnectionPool:
    """At most so many connections, made on first use; who finds none free waits as long as for an answer."""
    return BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=answer_seconds,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=answer_seconds,
    )


class Bells:
    """Rings in the background. While Redis is away that is logged and forgotten: others look by the clock."""

    def __init__(self, url: str, *, silence: str) -> None:
        """`silence` is the event that is logged when ringing fails."""
        # The host only; the address may hold a password.
        self._host = urlsplit(url).hostname
        self._silence = silence
        self._ringing: set[asyncio.Task[None]] = set()

    def ring(self, ringing: Coroutine[None, None, None], *, rows: int) -> None:
        task = asyncio.create_task(self._try(ringing, rows))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)

    async def fall_silent(self) -> None:
        """Wait for those that are ringing, though not for long."""
        if self._ringing:
            await asyncio.wait(self._ringing, timeout=_ANSWER_SECONDS)

    async def _try(self, ringing: Coroutine[None, None, None], rows: int) -> None:
        try:
            await ringing
        except (RedisError, OSError) as failure:
            log.warning(self._silence, host=self._host, reason=type(failure).__name__, rows=rows)
