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


class BackgroundCalls:
    """What Redis is told without waiting for it. While it is away that is logged: who listens looks by the clock."""

    def __init__(self, url: str, *, failure: str) -> None:
        """`failure` is the event that is logged when a call fails."""
        # The host only; the address may hold a password.
        self._host = urlsplit(url).hostname
        self._failure = failure
        self._under_way: set[asyncio.Task[None]] = set()

    def start(self, call: Coroutine[None, None, None], *, items: int) -> None:
        task = asyncio.create_task(self._try(call, items))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def finish(self) -> None:
        """Wait for those under way, though not for long."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_ANSWER_SECONDS)

    async def _try(self, call: Coroutine[None, None, None], items: int) -> None:
        try:
            await call
        except (RedisError, OSError) as failure:
            log.warning(self._failure, host=self._host, reason=type(failure).__name__, items=items)
