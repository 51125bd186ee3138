"""The worker, put together and run: it looks into the outbox when the bell rings, and does the rest by the clock."""

import asyncio
import signal
from contextlib import suppress

import structlog
import uvloop

from application.images.ports import RenderReader
from application.payments.ports import PurchasesDue
from bootstrap import schema
from bootstrap.container import create_container
from bootstrap.settings import Settings
from domain.errors import Unavailable
from infrastructure.database.outbox import OutboxQueue
from infrastructure.job_queue import hear_bell
from infrastructure.metrics.exchange import MetricsExchange
from infrastructure.spans import Spans
from presentation.worker.jobs import Jobs
from presentation.worker.lanes import LANES, Deliveries
from presentation.worker.metrics import JobMetrics
from presentation.worker.schedules import AUDIT_SECONDS, HOUSEKEEPING_SECONDS, LOOK_SECONDS, Schedules, every

log = structlog.get_logger()

_DRAIN_SECONDS = 20
_DATABASE_PAUSE_SECONDS = 1.0


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
        metrics = await get(JobMetrics)
        jobs, outbox = Jobs(container, metrics, await get(Spans)), await get(OutboxQueue)
        lanes = [Deliveries(jobs, outbox, lane) for lane in LANES]
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
            hear_bell(settings.redis_url, [lane.news for lane in lanes], stop),
        )
        running = [asyncio.create_task(work) for work in works]
        stopping = asyncio.create_task(stop.wait())
        log.info("worker_ready")
        await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        for task in (*running, stopping):
            task.cancel()
        outcomes = await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(schedules.drain(0), *(lane.drain(_DRAIN_SECONDS) for lane in lanes))
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
