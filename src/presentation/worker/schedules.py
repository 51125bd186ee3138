"""What the worker does by the clock: poll predictions, sweep, reconcile purchases, keep house, audit the books."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

import structlog
from dishka import AsyncContainer
from msgspec import Struct
from msgspec.structs import asdict

from application.credits.watch_ledger import WatchLedger, WatchLedgerHandler
from application.housekeeping.purge_expired import PurgeExpired, PurgeExpiredHandler
from application.images.poll_prediction import PollPrediction, PollPredictionHandler
from application.images.ports import RenderReader
from application.images.sweep_view import SweepView, SweepViewHandler
from application.payments.ports import PurchasesDue
from application.payments.reconcile_purchase import ReconcilePurchase, ReconcilePurchaseHandler
from domain.errors import Unavailable
from presentation.worker.jobs import WORKER
from presentation.worker.metrics import JobMetrics, Outcome
from presentation.worker.places import Places

log = structlog.get_logger()

LOOK_SECONDS = 0.5
HOUSEKEEPING_SECONDS = 600.0
AUDIT_SECONDS = 21_600.0
_POLL, _SWEEP, _RECONCILE = "poll_prediction", "sweep_view", "reconcile_purchase"
"""The jobs that come by the clock, one for each view or purchase."""
_BATCH = 100
"""What one round takes from the database: ids, which are soon read. Where more is due, a round follows at once."""
_SIDE_BY_SIDE = 16
"""Each mostly waits for another service or for one of the few connections that write: more would wait in line."""
_POLLS_AT_ONCE = 48
"""Together with the creates of a worker fewer than the connections to the provider."""
_POLL_PAUSE_SECONDS = 2.0
LONGEST_AFTER_FAILURE_SECONDS = 30.0
"""An audit that finds the database away as its worker starts is not to come six hours later."""

_Handler = type[Callable[[Any, Any], Awaitable[object]]]


async def every(
    seconds: float, work: Callable[[], Awaitable[bool]], stop: asyncio.Event, *, or_at: asyncio.Event | None = None
) -> None:
    """Do some work until told to stop, again at once while there is more of it, whatever went wrong the last time.

    After a failure the pause is half a minute at most. `or_at` cuts a pause short. Being cancelled cuts the present
    round short. `stop` ends the rounds, also when some library made of the cancellation an error like any other.
    """
    hurry = or_at or asyncio.Event()
    after_failure = min(seconds, LONGEST_AFTER_FAILURE_SECONDS)
    while not stop.is_set():
        hurry.clear()
        try:
            if await work():
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await hurry.wait()
        except Unavailable as failure:
            log.warning("schedule_put_off", work=work.__name__, reason=failure.detail)
            await asyncio.sleep(after_failure)
        except Exception:
            log.exception("schedule_failed", work=work.__name__)
            await asyncio.sleep(after_failure)


class Schedules:
    """Each method does one batch and tells whether there is more to do. All are safe to run in several workers."""

    def __init__(
        self, container: AsyncContainer, renders: RenderReader, purchases: PurchasesDue, metrics: JobMetrics
    ) -> None:
        self._container = container
        self._renders = renders
        self._purchases = purchases
        self._metrics = metrics
        metrics.expect((_POLL, _SWEEP, _RECONCILE))
        self._polls = Places(_POLLS_AT_ONCE)

    async def poll_predictions(self) -> bool:
        """Begin to look at those that are due, as far as there is room; one that hangs holds up nothing but itself."""
        await self._polls.one_free()
        room = self._polls.free
        due = await self._renders.due_for_poll(room, besides=self._polls.under_way)
        for view_id in due:
            self._polls.begin(view_id, self._poll(PollPrediction(view_id)))
        return len(due) == room

    async def drain(self, seconds: float) -> None:
        """Let the looks that have begun come to their end, or cut them off after so many seconds."""
        await self._polls.drain(seconds)

    async def sweep_views(self) -> bool:
        overdue = await self._renders.overdue(_BATCH)
        done = await self._each(_SWEEP, SweepViewHandler, [SweepView(view_id) for view_id in overdue])
        return done > 0 and len(overdue) == _BATCH

    async def reconcile_purchases(self) -> bool:
        due = await self._purchases.take(_BATCH)
        purchases = [ReconcilePurchase(transaction_id) for transaction_id in due]
        done = await self._each(_RECONCILE, ReconcilePurchaseHandler, purchases)
        return done > 0 and len(due) == _BATCH

    async def purge_expired(self) -> bool:
        async with self._container() as scope:
            handle = await scope.get(PurgeExpiredHandler)
            return (await handle(PurgeExpired(), WORKER)).more

    async def audit_ledger(self) -> bool:
        """Add everything up anew, and tell operators when it is not what is kept."""
        async with self._container() as scope:
            handle = await scope.get(WatchLedgerHandler)
            self._metrics.audited(await handle(WatchLedger(), WORKER))
        return False

    async def _poll(self, command: PollPrediction) -> None:
        """One that fails keeps its place for a while: where none succeeds, they would be begun without end."""
        if not await self._run(_POLL, PollPredictionHandler, command):
            await asyncio.sleep(_POLL_PAUSE_SECONDS)

    async def _each(self, job: str, handler: _Handler, commands: Sequence[Struct]) -> int:
        """Returns how many came to their end. Where none does, the next batch would be the same, and is not hurried."""
        at_once = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def run(command: Struct) -> bool:
            async with at_once:
                return await self._run(job, handler, command)

        results = await asyncio.gather(*(run(command) for command in commands), return_exceptions=True)
        return sum(result is True for result in results)

    async def _run(self, job: str, handler: _Handler, command: Struct) -> bool:
        """Whether it came to its end; what did not is logged. Each in a task of its own, for what it binds is its own.

        Every line of it says what it is about: the job, and the id of the view or of the purchase.
        """
        structlog.contextvars.bind_contextvars(job=job, **asdict(command))
        began = perf_counter()
        outcome: Outcome = "failed"
        try:
            async with self._container() as scope:
                handle = await scope.get(handler)
                await handle(command, WORKER)
        except Unavailable as failure:
            log.warning("scheduled_item_put_off", reason=failure.detail)
            outcome = "put_off"
        except Exception as failure:
            if _is_told_to_stop():  # which some library made an error like any other of
                raise asyncio.CancelledError from failure
            log.exception("scheduled_item_failed")
        else:
            outcome = "done"
        self._metrics.record(job, outcome, perf_counter() - began)
        return outcome == "done"


def _is_told_to_stop() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
