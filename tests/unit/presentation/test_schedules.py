"""Rounds of work by the clock: they outlive what goes wrong, and end when they are told to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager

import pytest
from dishka import Provider, Scope, make_async_container
from prometheus_client import CollectorRegistry
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from application.actor import Actor
from application.images.poll_prediction import PollPrediction, PollPredictionHandler
from application.images.ports import RenderOrder, RenderReader
from application.images.sweep_view import SweepView, SweepViewHandler
from application.payments.ports import PurchasesDue
from application.payments.reconcile_purchase import ReconcilePurchase, ReconcilePurchaseHandler
from application.payments.reconciliation import Reconciled
from domain.errors import Unavailable
from presentation.worker.metrics import JobMetrics
from presentation.worker.schedules import AUDIT_SECONDS, LONGEST_AFTER_FAILURE_SECONDS, Schedules, every


class OnePurchase(PurchasesDue):
    async def take(self, limit: int) -> list[int]:
        return [1][:limit]


def rounds(
    stop: asyncio.Event, *failures: Exception | None, seconds: float = 0
) -> tuple[list[Exception | None], asyncio.Task[None]]:
    """So many rounds, some of which fail; the last one says stop."""
    left, done = list(failures), list[Exception | None]()

    async def work() -> bool:
        done.append(failure := left.pop(0))
        if not left:
            stop.set()
        if failure:
            raise failure
        return False

    return done, asyncio.create_task(every(seconds, work, stop))


async def test_a_round_that_fails_is_followed_by_another() -> None:
    away = Unavailable("service_unavailable", "Away.", retry_after=1.0)
    done, task = rounds(asyncio.Event(), away, ValueError("a mistake of ours"), None)
    await asyncio.wait_for(task, timeout=10)
    assert len(done) == 3


async def test_what_comes_rarely_is_soon_tried_again_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit that failed when its worker started, say: its next look is not six hours away."""
    assert LONGEST_AFTER_FAILURE_SECONDS <= 30
    monkeypatch.setattr("presentation.worker.schedules.LONGEST_AFTER_FAILURE_SECONDS", 0.0)
    away = Unavailable("service_unavailable", "Away.", retry_after=1.0)
    done, task = rounds(asyncio.Event(), away, ValueError("a mistake of ours"), away, seconds=AUDIT_SECONDS)
    await asyncio.wait_for(task, timeout=10)
    assert len(done) == 3


async def test_a_cancellation_that_a_library_swallows_still_ends_it() -> None:
    """As a driver does that says "connection lost" to whoever was cancelled in the middle of a statement."""
    stop, begun = asyncio.Event(), asyncio.Event()

    async def work() -> bool:
        begun.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise Unavailable("service_unavailable", "Connection lost.", retry_after=1.0) from None
        return True

    task = asyncio.create_task(every(0, work, stop))
    await begun.wait()
    stop.set()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=10)
    assert done


class Renders(RenderReader):
    """Always more views are overdue than one batch holds, and always these are to be looked at."""

    def __init__(self, predictions: int = 0) -> None:
        self.predictions = range(predictions)

    async def order(self, view_id: int) -> RenderOrder:
        raise LookupError(view_id)

    async def overdue(self, limit: int) -> list[int]:
        return list(range(limit))

    async def due_for_poll(self, limit: int, *, besides: Collection[int] = ()) -> list[int]:
        return [view_id for view_id in self.predictions if view_id not in besides][:limit]


@pytest.mark.parametrize(("works", "hurries"), [(0, False), (1, True)])
async def test_a_batch_of_which_nothing_is_done_is_not_followed_at_once_by_the_same(
    works: int, *, hurries: bool
) -> None:
    """A database that reads and does not write would be asked without end, and every word of it logged."""

    class Sweep(SweepViewHandler):
        async def __call__(self, command: SweepView, _: Actor) -> None:
            if command.view_id >= works:
                raise Unavailable("service_unavailable", "Read only.")

    provider = Provider(scope=Scope.REQUEST)
    provider.provide(lambda: object.__new__(Sweep), provides=SweepViewHandler)
    container = make_async_container(provider)
    assert (
        await Schedules(container, Renders(), OnePurchase(), JobMetrics(CollectorRegistry())).sweep_views() is hurries
    )
    await container.close()


async def test_what_fails_says_what_it_was_about_and_nothing_of_the_others() -> None:
    """The job, and the id of the view or of the purchase, as fields that one can search for."""

    class Sweep(SweepViewHandler):
        async def __call__(self, command: SweepView, _: Actor) -> None:
            await asyncio.sleep(0)
            if command.view_id == 3:
                raise ValueError("a mistake of ours")
            if command.view_id == 4:
                raise Unavailable("service_unavailable", "Read only.")

    class Reconcile(ReconcilePurchaseHandler):
        async def __call__(self, command: ReconcilePurchase, _: Actor) -> Reconciled:
            raise Unavailable("payment_provider_unavailable", f"Not about {command}.")

    provider = Provider(scope=Scope.REQUEST)
    provider.provide(lambda: object.__new__(Sweep), provides=SweepViewHandler)
    provider.provide(lambda: object.__new__(Reconcile), provides=ReconcilePurchaseHandler)
    container = make_async_container(provider)
    every_one = Schedules(container, Renders(), OnePurchase(), JobMetrics(CollectorRegistry()))
    with capture_logs(processors=[merge_contextvars]) as log:
        await every_one.sweep_views()
        await every_one.reconcile_purchases()
    await container.close()
    about = [{name: line[name] for name in line.keys() & {"job", "view_id", "transaction_id"}} for line in log]
    assert about == [
        {"job": "sweep_view", "view_id": 3},
        {"job": "sweep_view", "view_id": 4},
        {"job": "reconcile_purchase", "transaction_id": 1},
    ]


async def test_what_a_stopping_worker_cuts_short_is_no_mistake_of_ours() -> None:
    """SQLAlchemy may complain of a lost transaction to whoever is cancelled amid a statement."""
    begun = asyncio.Event()

    class Reconcile(ReconcilePurchaseHandler):
        async def __call__(self, _: ReconcilePurchase, __: Actor) -> Reconciled:
            begun.set()
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                raise RuntimeError("the transaction is gone") from None
            raise AssertionError

    provider = Provider(scope=Scope.REQUEST)
    provider.provide(lambda: object.__new__(Reconcile), provides=ReconcilePurchaseHandler)
    container = make_async_container(provider)
    schedules = Schedules(container, Renders(), OnePurchase(), JobMetrics(CollectorRegistry()))
    with capture_logs() as log:
        reconciling = asyncio.create_task(schedules.reconcile_purchases())
        await begun.wait()
        reconciling.cancel()
        await asyncio.gather(reconciling, return_exceptions=True)
        await settle()
    await container.close()
    assert log == []


@asynccontextmanager
async def polling(predictions: int, look: Callable[[int], Awaitable[None]]) -> AsyncIterator[Schedules]:
    """Schedules with so many predictions to look at, all the time, and how one of them is looked at."""

    class Poll(PollPredictionHandler):
        async def __call__(self, command: PollPrediction, _: Actor) -> None:
            await look(command.view_id)

    provider = Provider(scope=Scope.REQUEST)
    provider.provide(lambda: object.__new__(Poll), provides=PollPredictionHandler)
    container = make_async_container(provider)
    schedules = Schedules(container, Renders(predictions), OnePurchase(), JobMetrics(CollectorRegistry()))
    yield schedules
    await schedules.drain(0)
    await container.close()


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_look_that_hangs_holds_up_no_other() -> None:
    """Round by round the others are looked at; it is not looked at a second time meanwhile."""
    looked, answer = list[int](), asyncio.Event()

    async def look(view_id: int) -> None:
        looked.append(view_id)
        if view_id == 0:
            await answer.wait()

    async with polling(3, look) as schedules:
        for _ in range(3):
            assert not await asyncio.wait_for(schedules.poll_predictions(), timeout=10), "there are no more"
            await settle()
        assert looked == [0, 1, 2, 1, 2, 1, 2]
        answer.set()
        await settle()
        await schedules.poll_predictions()
        await settle()
        assert looked[7:] == [0, 1, 2]


async def test_looks_that_hang_are_so_many_and_no_more() -> None:
    """The next round begins with the first that ends."""
    looked, answers = list[int](), asyncio.Semaphore(0)

    async def look(view_id: int) -> None:
        looked.append(view_id)
        await answers.acquire()

    async with polling(1000, look) as schedules:
        assert await schedules.poll_predictions(), "there are more"
        next_round = asyncio.create_task(schedules.poll_predictions())
        await settle()
        at_once = len(looked)
        assert 1 < at_once < 100
        assert not next_round.done()
        answers.release()
        await next_round
        await settle()
        assert len(looked) == at_once + 1


async def test_where_no_look_succeeds_they_are_not_begun_without_end() -> None:
    """As of a database that reads and does not write."""
    looked = list[int]()

    async def look(view_id: int) -> None:
        looked.append(view_id)
        raise Unavailable("service_unavailable", "Read only.")

    async with polling(1000, look) as schedules:
        await schedules.poll_predictions()
        next_round = asyncio.create_task(schedules.poll_predictions())
        await settle()
        assert len(looked) < 100
        assert not next_round.done()
        next_round.cancel()


async def test_a_pause_can_be_cut_short() -> None:
    """By whoever has news; without news the next round comes by the clock."""
    stop, news, begun = asyncio.Event(), asyncio.Event(), asyncio.Event()
    done = 0

    async def work() -> bool:
        nonlocal done
        done += 1
        begun.set()
        return False

    task = asyncio.create_task(every(3600, work, stop, or_at=news))
    for number in (1, 2, 3):
        await asyncio.wait_for(begun.wait(), timeout=10)
        begun.clear()
        assert done == number
        await asyncio.sleep(0)
        news.set()
    stop.set()
    news.set()
    await asyncio.wait_for(task, timeout=10)
