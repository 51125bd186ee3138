"""arq as the doorbell: jobs carry the id of an outbox row and nothing else."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgpack
import structlog
from arq.connections import ArqRedis, RedisSettings
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

from infrastructure.database.outbox import Doorbell

log = structlog.get_logger()

JOB = "deliver"
QUEUE = "hairtryon:jobs"
PAYLOAD_LIFE_MS = 86_400_000
_CONNECT_SECONDS = 1.0
_ANSWER_SECONDS = 2.0
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


class ArqDoorbell(Doorbell):
    """Rings in the background. When Redis is away, the relay rings again later: nothing waits, nothing is lost."""

    def __init__(self, url: str) -> None:
        # Host and port only for the log; the address may hold a password.
        self._place = urlsplit(url).hostname
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
        )
        self._redis = ArqRedis(
            pool,
            job_serializer=pack,
            job_deserializer=unpack,
            default_queue_name=QUEUE,
            expires_extra_ms=PAYLOAD_LIFE_MS,
        )
        self._ringing: set[asyncio.Task[None]] = set()

    def ring(self, rows: Sequence[tuple[int, int]]) -> None:
        task = asyncio.create_task(self._try(rows))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)

    async def ring_now(self, rows: Sequence[tuple[int, int]]) -> None:
        """Ring and wait; raises `RedisError` or `OSError` when Redis is away."""
        for row_id, delivery in rows:
            await self._redis.enqueue_job(JOB, row_id, _job_id=f"outbox:{row_id}:{delivery}")

    async def ping(self) -> None:
        await self._redis.ping()

    async def aclose(self) -> None:
        if self._ringing:
            await asyncio.wait(self._ringing, timeout=_ANSWER_SECONDS)
        await self._redis.aclose(close_connection_pool=True)

    async def _try(self, rows: Sequence[tuple[int, int]]) -> None:
        try:
            await self.ring_now(rows)
        except (RedisError, OSError) as failure:
            log.warning("doorbell_silent", host=self._place, reason=type(failure).__name__, rows=len(rows))
