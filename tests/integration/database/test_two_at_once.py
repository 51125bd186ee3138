"""Any two pieces of work about one customer's money, the second begun at each place where the first can stand.

What they come to together is what they come to one after the other, in one of the two orders; or, where one of the two
was told that the other is being worked on, what the other comes to alone.
"""

import itertools
from collections.abc import Mapping
from contextlib import AsyncExitStack

import pytest
from msgspec import Struct

from application.actor import Actor
from application.payments.create_checkout import CreateCheckout
from application.payments.reconcile_purchase import ReconcilePurchase
from application.payments.refund_purchase import RefundPurchase
from application.payments.release_payment import ReleasePayment
from application.payments.replay_event import ReplayEvent
from domain.credits import Cause
from domain.errors import Conflict, Failure
from domain.users import User
from tests.counter import ROOT, Counter
from tests.integration.database.clerks import Clerk, State, Work, clerk, to_the_end
from tests.integration.database.stage import Desk, Stage
from tests.money.market import Act, Market, Way
from tests.selling import FakePaymentProvider

WORKER = Actor.system("worker")
WORKS = (
    "an operator refunds",
    "the purchase is reconciled",
    "the other purchase is reconciled",
    "the checkout is asked for again",
    "the payment is told",
    "a refund is told",
    "another refund is told",
    "a lost dispute is told",
    "an operator releases the other payment",
    "an operator replays its event",
    "an operator grants",
)
"""Those that commit more than once come first, so that one of them is the first where one of two is."""
_LONGEST = 8
"""More commits than any work has."""
_scenes = itertools.count(1)


class Outcome(Struct, frozen=True):
    sums: tuple[int, int, int]
    granted: int
    taken: int
    """By refunds and disputes together: to which of them a share falls depends on which came first."""
    statuses: tuple[str, ...]
    refunds: int
    """That the provider was asked for."""


class Scene:
    """Ten credits were paid, partly refunded, disputed and lost; ten others were paid with too little."""

    def __init__(self, stage: Stage, user: User) -> None:
        self._stage = stage
        self._user = user
        number = next(_scenes)
        self.seller = FakePaymentProvider(first=number * 100)
        self._market = Market(self.seller, f"scene{number}")
        self._grant_key = f"scene{number}"
        self._quarantined = 0

    async def prepare(self, first: Clerk, *, is_told: bool) -> None:
        for way in (Way.WELL, Way.TOO_LITTLE):
            await self._alone(first, self._order(way.value))
            self._market.pay(list(self._market.quantities)[-1], way)
        paid, _ = self._market.payments
        for act, amount in ((Act.RETURN, 150), (Act.RETURN, 120), (Act.LOSE, 300)):
            self._market.befall(paid, act, amount)
        await self._alone(first, self._hear(1))
        self._quarantined = await self._stage.database.fetchval("SELECT max(id) FROM payment_events")
        if is_told:
            await self._alone(first, self._hear(0))

    def work(self, name: str) -> Work:
        bought, other = self._market.quantities
        works: Mapping[str, Work] = {
            "the payment is told": self._hear(0),
            "a refund is told": self._hear(2),
            "another refund is told": self._hear(3),
            "a lost dispute is told": self._hear(4),
            "the purchase is reconciled": lambda counter, _: counter.reconcile(ReconcilePurchase(bought), WORKER),
            "the checkout is asked for again": self._order(Way.WELL),
            "an operator refunds": lambda counter, _: counter.refund(
                RefundPurchase("sorry", 50), ROOT, transaction_id=bought
            ),
            "an operator releases the other payment": lambda counter, _: counter.release(
                ReleasePayment(self._quarantined, "agreed"), ROOT
            ),
            "an operator replays its event": lambda counter, _: counter.replay(ReplayEvent(self._quarantined), ROOT),
            "the other purchase is reconciled": lambda counter, _: counter.reconcile(ReconcilePurchase(other), WORKER),
            "an operator grants": self._grant,
        }
        work = works[name]

        async def answered(counter: Counter, desk: Desk) -> object:
            try:
                return await work(counter, desk)
            except Failure as answer:
                return answer

        return answered

    def _hear(self, place: int) -> Work:
        return lambda counter, _: counter.hear(self._market.posted[place])

    def _order(self, key: str) -> Work:
        customer = Actor.user(self._user.id, session_id=1)

        async def work(counter: Counter, _: Desk) -> None:
            self._market.opened(await counter.checkout(CreateCheckout(10), customer, key), 10)

        return work

    async def _grant(self, counter: Counter, desk: Desk) -> None:
        await desk.accounts.record(self._user.id, 1, Cause.GRANT, natural_key=self._grant_key)
        await counter.uow.commit()

    async def _alone(self, somebody: Clerk, work: Work) -> None:
        await somebody.begin(work)
        await somebody.finish()

    async def outcome(self) -> Outcome:
        database = self._stage.database
        sums = await database.fetchrow("SELECT * FROM users WHERE id = $1", self._user.id)
        entries = await database.fetch("SELECT amount FROM ledger_entries WHERE user_id = $1", self._user.id)
        amounts = [row["amount"] for row in entries]
        statuses = await database.fetch("SELECT status FROM transactions WHERE user_id = $1 ORDER BY id", self._user.id)
        return Outcome(
            (sums["credits"], sums["credits_held"], sums["credits_frozen"]),
            sum(amount for amount in amounts if amount > 0),
            -sum(amount for amount in amounts if amount < 0),
            tuple(row["status"] for row in statuses),
            len(self.seller.refunds_asked),
        )


class Theatre:
    def __init__(self, stage: Stage, *, is_told: bool) -> None:
        self._stage = stage
        self._is_told = is_told

    async def one_after_the_other(self, *names: str) -> Outcome:
        scene, first, _, stack = await self._open()
        async with stack:
            for name in names:
                await first.begin(scene.work(name))
                await first.finish()
            return await scene.outcome()

    async def at_once(self, name: str, other: str, stop: int) -> tuple[Outcome, bool] | None:
        """The second begins when the first has been let so many times; None when it has come to its end before.

        Also whether one of the two was refused.
        """
        scene, first, second, stack = await self._open()
        async with stack:
            await first.begin(scene.work(name))
            for _ in range(stop):
                if first.state is State.IDLE:
                    return None
                await first.let()
            if first.state is State.IDLE:
                return None
            await second.begin(scene.work(other))
            await to_the_end(second, first)
            answers = {type(await one.finish()) for one in (first, second)}
            return await scene.outcome(), Conflict in answers

    async def _open(self) -> tuple[Scene, Clerk, Clerk, AsyncExitStack]:
        scene = Scene(self._stage, await self._stage.user())
        stack = AsyncExitStack()
        first, second = [await stack.enter_async_context(clerk(self._stage, scene.seller)) for _ in range(2)]
        await scene.prepare(first, is_told=self._is_told)
        return scene, first, second, stack


@pytest.mark.parametrize(
    "is_told",
    [
        pytest.param(True, id="after the payment is told"),
        pytest.param(False, id="before it is told", marks=[pytest.mark.exhaustive, pytest.mark.hypothesis]),
    ],
)
@pytest.mark.parametrize("name", WORKS)
async def test_two_at_once_come_to_what_they_come_to_one_after_the_other(
    stage: Stage, name: str, *, is_told: bool
) -> None:
    theatre = Theatre(stage, is_told=is_told)
    for other in WORKS[WORKS.index(name) :]:
        expected = {await theatre.one_after_the_other(*order) for order in ((name, other), (other, name))}
        for stop in range(_LONGEST):
            came_of_it = await theatre.at_once(name, other, stop)
            if came_of_it is None:
                break
            outcome, is_refused = came_of_it
            if is_refused:
                expected |= {await theatre.one_after_the_other(one) for one in (name, other)}
            assert outcome in expected, (other, stop)
    audit = await stage.audit()
    assert (audit.differences, audit.payments_out_of_step) == ([], [])
