"""arq as the doorbell: one job that says that there is something to do, and nothing of what."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import msgpack
import structlog
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker, func
from redis.exceptions import RedisError

from application.queue.ports import Bell
from infrastructure.database.outbox import Doorbell
from infrastructure.redis import BackgroundCalls, open_pool

log = structlog.get_logger()

JOB = "look"
QUEUE = "hairtryon:jobs"
BELL_LIFE_MS = 60_000
"""A bell that no worker has heard by then says nothing any more: they look by the clock, too."""
_BELL = "bell"
_CONNECTIONS = 2
_JOB_SECONDS = 1
"""For arq's own job, which only says that the bell has rung."""
_OFTEN_ENOUGH = 1_000_000
"""arq drops a job after `max_tries`, counting shutdowns too."""
_REDIS_PAUSE_SECONDS = 1.0


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


async def hear_bell(url: str, news: Sequence[asyncio.Event], stop: asyncio.Event) -> None:
    """Set these whenever the bell rings, until told to stop, and cancelled so that it hears it.

    While Redis is away, the clock does without.
    """

    async def look(_: dict[Any, Any]) -> None:
        for listener in news:
            listener.set()

    while not stop.is_set():
        worker = Worker(
            [func(look, name=JOB, max_tries=_OFTEN_ENOUGH)],  # type: ignore[arg-type]
            queue_name=QUEUE,
            redis_settings=redis_settings(url),
            handle_signals=False,
            job_timeout=_JOB_SECONDS,
            keep_result=0,
            poll_delay=0.1,
            health_check_key=f"{QUEUE}:health:{socket.gethostname()}",
            job_serializer=pack,
            job_deserializer=unpack,
            log_results=False,
        )
        try:
            await worker.async_run()
        except (RedisError, OSError) as failure:
            log.warning("redis_away", reason=type(failure).__name__)
        except Exception:
            log.exception("arq_stopped")
        finally:
            await _close(worker)
        await asyncio.sleep(_REDIS_PAUSE_SECONDS)


async def _close(worker: Worker) -> None:
    outcome = (await asyncio.gather(worker.close(), return_exceptions=True))[0]
    if isinstance(outcome, Exception):
        log.warning("redis_away", reason=type(outcome).__name__)
