"""Tells every process over Redis that a try-on's log has grown."""

from collections.abc import Sequence

from redis.asyncio import Redis

from infrastructure.database.progress_log import LogGrown, ProgressBell
from infrastructure.redis import BackgroundCalls, open_pool


def channel_of(user_id: int) -> str:
    return f"hairtryon:progress:{user_id}"


class RedisProgressBell(ProgressBell):
    """Publishes in the background. While Redis is away, who watches looks by the clock: nothing waits, none is lost."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_pool(open_pool(url, connections=1))
        self._calls = BackgroundCalls(url, self._publish, failure="progress_bell_silent")

    def ring(self, grown: Sequence[LogGrown]) -> None:
        self._calls.add(grown)

    async def aclose(self) -> None:
        await self._calls.finish()
        await self._redis.aclose()

    async def _publish(self, grown: Sequence[LogGrown]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for log in grown:
                pipe.publish(channel_of(log.user_id), str(log.image_id))
            await pipe.execute()
