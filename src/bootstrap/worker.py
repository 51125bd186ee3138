"""The worker, put together and run: it looks into the outbox when the bell rings, and does the rest by the clock."""

import asyncio
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
import uvloop
from arq.worker import Worker, func
from redis.exceptions import RedisError

from application.images.ports import RenderReader
from application.payments.ports import PurchasesDue
from bootstrap import schema
from bootstrap.container import create_container
from bootstrap.settings import Settings
from domain.errors import Unavailable
from infrastructure.database.outbox import OutboxQueue
from infrastructure.job_queue import JOB, QUEUE, pack, redis_settings, unpack
from infrastructure.metrics.exchange import MetricsExchange
from infrastructure.spans import Spans
from presentation.worker.jobs import LANES, Deliveries
from presentation.worker.metrics import JobMetrics
from presentation.worker.schedules import AUDIT_SECONDS, HOUSEKEEPING_SECONDS, LOOK_SECONDS, Schedules, every

log = structlog.get_logger()

_DRAIN_SECONDS = 20
_DATABASE_PAUSE_SECONDS = 1.0
_REDIS_PAUSE_SECONDS = 1.0
_BELL_SECONDS = 1
"""For arq's own job, which only says that the bell has rung."""
_OFTEN_ENOUGH = 1_000_000
"""arq drops a job after `max_tries`, counting shutdowns too."""


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what has begun, and end.

    Raises `MigrationsPending` when the database lacks some; one that is away is waited for.
    """
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    container = create_container(settings, role="worker")
    try:
        get = container.get
        metrics, spans = await get(JobMetrics), await get(Spans)
        outbox = await get(OutboxQueue)
        lanes = [Deliveries(container, outbox, lane, metrics, spans) for lane in LANES]
        schedules = Schedules(container, await get(RenderReader), await get(PurchasesDue), metrics)
        await get(MetricsExchange)
        await _wait_for_database(settings, stop)
        works = (
            *(every(LOOK_SECONDS, lane.look, stop, or_at=lane.news) for lane in lanes),
            every(settings.poll_seconds, schedules.poll_predictions, stop),
            every(settings.sweep_seconds, schedules.sweep_views, stop),
            every(settings.reconcile_seconds, schedules.reconcile_purchases, stop),
            every(HOUSEKEEPING_SECONDS, schedules.purge_expired, stop),
            every(AUDIT_SECONDS, schedules.audit_ledger, stop),
            _hear_bell([lane.news for lane in lanes], settings, stop),
        )
        running = [asyncio.create_task(work) for work in works]
        stopping = asyncio.create_task(stop.wait())
        log.info("worker_ready")
        await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        for task in (*running, stopping):
            task.cancel()
        outcomes = await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(*(lane.drain(_DRAIN_SECONDS) for lane in lanes))
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
    finally:
        await container.close()
        log.info("worker_stopped")


async def _wait_for_database(settings: Settings, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await schema.look(settings.database_url)
        except Unavailable as failure:
            log.warning("database_away", reason=failure.detail)
            with suppress(TimeoutError):
                async with asyncio.timeout(_DATABASE_PAUSE_SECONDS):
                    await stop.wait()
        else:
            return


async def _hear_bell(news: Sequence[asyncio.Event], settings: Settings, stop: asyncio.Event) -> None:
    """Run arq until told to stop, and cancelled so that it hears it. While Redis is away, the clock does without."""

    async def look(_: dict[Any, Any]) -> None:
        for lane in news:
            lane.set()

    while not stop.is_set():
        worker = Worker(
            [func(look, name=JOB, max_tries=_OFTEN_ENOUGH)],  # type: ignore[arg-type]
            queue_name=QUEUE,
            redis_settings=redis_settings(settings.redis_url),
            handle_signals=False,
            job_timeout=_BELL_SECONDS,
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
