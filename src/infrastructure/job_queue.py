"""arq as the doorbell: one job that says that there is something to do, and nothing of what."""

from collections.abc import Sequence
from typing import Any

import msgpack
from arq.connections import ArqRedis, RedisSettings
from redis.exceptions import RedisError

from application.queue.ports import Bell
from infrastructure.database.outbox import Doorbell
from infrastructure.redis import BackgroundCalls, open_pool

JOB = "look"
QUEUE = "hairtryon:jobs"
BELL_LIFE_MS = 60_000
"""A bell that no worker has heard by then says nothing any more: they look by the clock, too."""
_BELL = "bell"
_CONNECTIONS = 2


def pack(job: dict[str, Any]) -> bytes:
    """Encode with msgpack on both sides: arq's default, pickle, would run whatever Redis is made to hold."""
    return msgpack.packb(job)  # type: ignore[no-any-return]


def unpack(data: bytes) -> dict[str, Any]:
    return msgpack.unpackb(data, raw=False, strict_map_key=False)  # type: ignore[no-any-return]


def redis_settings(url: str) -> RedisSettings:
    """How the worker reaches Redis; it gives up quickly, and is begun anew by whoever runs it."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 3
    settings.conn_retry_delay = 1
    return settings


class ArqDoorbell(Doorbell, Bell):
    """Rings in the background, one ring at a time; whoever rings meanwhile is part of the next.

    The job has a name of its own, so that it waits in the queue once however often it is rung. A ring that comes while
    a worker answers the one before is lost, and so is every ring while Redis is away: then it is the clock that counts.
    """

    def __init__(self, url: str) -> None:
        self._calls = BackgroundCalls(url, self._enqueue, failure="doorbell_silent")
        self._redis = ArqRedis(
            open_pool(url, connections=_CONNECTIONS),
            job_serializer=pack,
            job_deserializer=unpack,
            default_queue_name=QUEUE,
            expires_extra_ms=BELL_LIFE_MS,
        )

    def ring(self) -> None:
        self._calls.add([_BELL])

    async def _enqueue(self, _: Sequence[str]) -> None:
        await self._redis.enqueue_job(JOB, _job_id=_BELL)

    async def answers(self) -> bool:
        try:
            await self.ping()
        except (RedisError, OSError):
            return False
        return True

    async def ping(self) -> None:
        await self._redis.ping()

    async def aclose(self) -> None:
        await self._calls.finish()
        await self._redis.aclose(close_connection_pool=True)
