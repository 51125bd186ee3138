"""The worker, put together and run: jobs by the bell, schedules by the clock."""

import asyncio
import signal
import socket
from typing import Any

import structlog
from arq.worker import Worker, func
from dishka import AsyncContainer
from redis.exceptions import RedisError

from application.images.ports import RenderReader
from application.payments.ports import PurchasesDue
from bootstrap.container import create_container
from bootstrap.settings import Settings
from infrastructure.database.outbox import OutboxRelay
from infrastructure.job_queue import JOB, QUEUE, ArqDoorbell, pack, redis_settings, unpack
from presentation.worker.jobs import LONGEST_SECONDS, Deliveries
from presentation.worker.schedules import HOUSEKEEPING_SECONDS, RELAY_SECONDS, Schedules, every

log = structlog.get_logger()

_JOBS_AT_ONCE = 40
_DRAIN_SECONDS = 20
_NOTE_SECONDS = 1.0
_REDIS_PAUSE_SECONDS = 1.0
_OFTEN_ENOUGH = 1_000_000
"""arq drops a job after `max_tries`, counting shutdowns too; our rows decide when enough is enough."""


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what has begun, and end."""
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    container = create_container(settings)
    try:
        deliveries = Deliveries(container, await container.get(OutboxRelay))
        running = [asyncio.create_task(work) for work in await _schedules(container, settings, stop)]
        running.append(asyncio.create_task(_answer_bell(deliveries, settings, stop)))
        stopping = asyncio.create_task(stop.wait())
        log.info("worker_ready")
        await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        for task in (*running, stopping):
            task.cancel()
        outcomes = await asyncio.gather(*running, return_exceptions=True)
        await deliveries.drain(_DRAIN_SECONDS)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
    finally:
        await container.close()
        log.info("worker_stopped")


async def _schedules(container: AsyncContainer, settings: Settings, stop: asyncio.Event) -> list[Any]:
    schedules = Schedules(
        container,
        await container.get(OutboxRelay),
        await container.get(ArqDoorbell),
        await container.get(RenderReader),
        await container.get(PurchasesDue),
    )
    return [
        every(RELAY_SECONDS, schedules.ring_due_rows, stop),
        every(settings.poll_seconds, schedules.poll_predictions, stop),
        every(settings.sweep_seconds, schedules.sweep_views, stop),
        every(settings.reconcile_seconds, schedules.reconcile_purchases, stop),
        every(HOUSEKEEPING_SECONDS, schedules.purge_expired, stop),
    ]


async def _answer_bell(deliveries: Deliveries, settings: Settings, stop: asyncio.Event) -> None:
    """Run arq until told to stop, and cancelled so that it hears it.

    Redis going away ends arq, not us: schedules and jobs go on, and arq is run anew.
    """

    async def deliver(_: dict[Any, Any], row_id: int) -> None:
        await deliveries.deliver(row_id)

    while not stop.is_set():
        worker = Worker(
            [func(deliver, name=JOB, max_tries=_OFTEN_ENOUGH)],  # type: ignore[arg-type]
            queue_name=QUEUE,
            redis_settings=redis_settings(settings.redis_url),
            handle_signals=False,
            max_jobs=_JOBS_AT_ONCE,
            job_timeout=LONGEST_SECONDS,
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
            if stop.is_set():
                await deliveries.drain(_DRAIN_SECONDS)  # before arq hands its unfinished jobs to another worker
            await _close(worker)
        await asyncio.sleep(_REDIS_PAUSE_SECONDS)


async def _close(worker: Worker) -> None:
    """Have arq note which jobs are done, and let go of the others, which are ours to finish."""
    if worker.tasks:
        await asyncio.wait(worker.tasks.values(), timeout=_NOTE_SECONDS)
    outcome = (await asyncio.gather(worker.close(), return_exceptions=True))[0]
    if isinstance(outcome, Exception):
        log.warning("redis_away", reason=type(outcome).__name__)
