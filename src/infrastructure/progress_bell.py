"""Tells every process over Redis that a try-on's log has grown."""

from collections.abc import Sequence

import msgspec
from redis.asyncio import Redis

from infrastructure.database.progress_log import ProgressBell, Tidings
from infrastructure.redis import Bells, open_pool

_CONNECTIONS = 5


def channel_of(user_id: int) -> str:
    return f"hairtryon:progress:{user_id}"


class RedisProgressBell(ProgressBell):
    """Publishes in the background. While Redis is away, who watches looks by the clock: nothing waits, none is lost."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_pool(open_pool(url, connections=_CONNECTIONS))
        self._bells = Bells(url, silence="progress_bell_silent")

    def ring(self, tidings: Sequence[Tidings]) -> None:
        self._bells.ring(self._publish(tidings), rows=len(tidings))

    async def aclose(self) -> None:
        await self._bells.fall_silent()
        await self._redis.aclose()

    async def _publish(self, tidings: Sequence[Tidings]) -> None:
        for tiding in tidings:
            await self._redis.publish(channel_of(tiding.user_id), msgspec.msgpack.encode(tiding))
