"""Redis, as everything here reaches it: nothing is lost without it, so nobody waits for it for long."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import structlog
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

log = structlog.get_logger()

Item = TypeVar("Item")

CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 2.0
_GATHER_SECONDS = 0.01


def open_pool(url: str, *, connections: int, answer_seconds: float = _ANSWER_SECONDS) -> BlockingConnectionPool:
    """At most so many connections, made on first use; who finds none free waits as long as for an answer."""
    return BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=answer_seconds,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=answer_seconds,
    )


class BackgroundCalls(Generic[Item]):
    """What Redis is told without waiting for it: one call at a time, with all that came in the moments before it.

    While Redis is away that is logged, and what was to be told is dropped: who listens looks by the clock.
    """

    def __init__(self, url: str, call: Callable[[Sequence[Item]], Awaitable[object]], *, failure: str) -> None:
        """`failure` is the event that is logged when a call fails."""
        # The host only; the address may hold a password.
        self._host = urlsplit(url).hostname
        self._call = call
        self._failure = failure
        self._waiting: list[Item] = []
        self._calling: asyncio.Task[None] | None = None

    def add(self, items: Sequence[Item]) -> None:
        self._waiting.extend(items)
        if self._calling is None:
            # For all who come meanwhile: it is not to be logged as the work of the first of them.
            self._calling = asyncio.create_task(self._work_off(), context=Context())

    async def finish(self) -> None:
        """Wait for what is to be told, though not for long."""
        if self._calling is not None:
            await asyncio.wait({self._calling}, timeout=_ANSWER_SECONDS)

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(_GATHER_SECONDS)
                items, self._waiting = self._waiting, []
                await self._try(items)
        finally:
            self._calling = None

    async def _try(self, items: Sequence[Item]) -> None:
        try:
            await self._call(items)
        except (RedisError, OSError) as failure:
            log.warning(self._failure, host=self._host, reason=type(failure).__name__, items=len(items))
