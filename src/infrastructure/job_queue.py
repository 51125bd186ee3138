"""arq as the doorbell: jobs carry the id of an outbox row and nothing else."""

from collections.abc import Sequence
from typing import Any

import msgpack
from arq.connections import ArqRedis, RedisSettings
from redis.exceptions import RedisError

from application.queue.ports import JobQueue
from domain.errors import Unavailable
from infrastructure.database.outbox import Doorbell
from infrastructure.redis import BackgroundCalls, open_pool

JOB = "deliver"
QUEUE = "hairtryon:jobs"
PAYLOAD_LIFE_MS = 86_400_000
_CONNECTIONS = 20


def pack(job: dict[str, Any]) -> bytes:
    """Encode with msgpack on both sides: arq's default, pickle, would run whatever Redis is made to hold."""
    return msgpack.packb(job)  # type: ignore[no-any-return]


def unpack(data: bytes) -> dict[str, Any]:
    return msgpack.unpackb(data, raw=False, strict_map_key=False)  # type: ignore[no-any-return]


def redis_settings(url: str) -> RedisSettings:
    """How the worker reaches Redis; it gives up quickly, for whoever supervises it starts it again."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 3
    settings.conn_retry_delay = 1
    return settings


class ArqDoorbell(Doorbell, JobQueue):
    """Rings in the background. When Redis is away, the relay rings again later: nothing waits, nothing is lost."""

    def __init__(self, url: str) -> None:
        self._calls = BackgroundCalls(url, failure="doorbell_silent")
        self._redis = ArqRedis(
            open_pool(url, connections=_CONNECTIONS),
            job_serializer=pack,
            job_deserializer=unpack,
            default_queue_name=QUEUE,
            expires_extra_ms=PAYLOAD_LIFE_MS,
        )

    def ring(self, rows: Sequence[tuple[int, int]]) -> None:
        self._calls.start(self._enqueue(rows), items=len(rows))

    async def ring_now(self, rows: Sequence[tuple[int, int]]) -> None:
        """Ring and wait; raises `Unavailable` when Redis is away."""
        try:
            await self._enqueue(rows)
        except (RedisError, OSError) as failure:
            raise Unavailable("service_unavailable", f"Redis does not answer: {type(failure).__name__}") from failure

    async def _enqueue(self, rows: Sequence[tuple[int, int]]) -> None:
        for row_id, delivery in rows:
            await self._redis.enqueue_job(JOB, row_id, _job_id=f"outbox:{row_id}:{delivery}")

    async def length(self) -> int | None:
        try:
            return int(await self._redis.zcard(QUEUE))
        except (RedisError, OSError):
            return None

    async def ping(self) -> None:
        await self._redis.ping()

    async def aclose(self) -> None:
        await self._calls.finish()
        await self._redis.aclose(close_connection_pool=True)
