"""Two sessions that deal with one customer's money, standing at any two of their commits, and dying at any of them."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from itertools import count

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from application.actor import Actor
from application.payments.create_checkout import CreateCheckout
from application.payments.reconcile_purchase import ReconcilePurchase
from application.payments.refund_purchase import RefundPurchase
from application.payments.release_payment import ReleasePayment
from application.payments.replay_event import ReplayEvent
from domain.errors import Failure
from domain.renders import ViewRender
from domain.views import View
from tests.counter import ROOT, Counter
from tests.integration.database.clerks import Clerk, State, Work, clerk, to_the_end
from tests.integration.database.stage import Desk, Stage, open_stage
from tests.money.market import Act, Market, Way
from tests.selling import FakePaymentProvider

CLERKS = st.integers(0, 1)
PLACES = st.integers(0, 30)
"""Of something among those that there are; counted round."""
ACTS = st.sampled_from(Act)
AMOUNTS = st.integers(0, 400)
KEYS = st.sampled_from([None, "a"])
QUANTITY = 3
WORKER = Actor.system("worker")
_MOST_ORDERS = 4
_MOST_EXAMPLES = 150
_examples = count(1)


class Money(RuleBasedStateMachine):
    def __init__(self, runner: asyncio.Runner, stage: Stage) -> None:
        super().__init__()
        self._run = runner.run
        self._stage = stage
        self._stack = AsyncExitStack()
        self._clerks: list[Clerk] = []
        self._entries: list[tuple[int, int, str]] = []
        self._asked_for: set[int] = set()
        """Try-ons, each of which is accepted once at most."""

    @initialize(credits_=st.integers(0, 3), befell=st.lists(st.tuples(ACTS, AMOUNTS), min_size=2, max_size=6))
    def begin(self, credits_: int, befell: list[tuple[Act, int]]) -> None:
        """Two orders have been paid, one of them with too little; more befell them, and nobody has told of it."""
        number = next(_examples)
        self._seller = FakePaymentProvider(first=number * 1_000)
        self._market = Market(self._seller, f"evt_{number}")
        self._granted = credits_
        self._user = self._run(self._stage.user(credits_=credits_))
        self._views: list[ViewRender] = self._run(self._stage.image(self._user, *list(View)[1:])).views
        for _ in range(2):
            self._clerks.append(self._run(self._stack.enter_async_context(clerk(self._stage, self._seller))))
        for way in (Way.WELL, Way.TOO_LITTLE):
            self.order(0, None)
            self._run(self._clerks[0].finish())
            self._market.pay(list(self._market.quantities)[-1], way)
        for place, (act, amount) in enumerate(befell):
            self.befall(place // 2, act, amount)

    def _begin(self, place: int, work: Work) -> None:
        """Give a clerk who has nothing to do some work. A failure that a handler may answer with is an answer."""

        async def answered(counter: Counter, desk: Desk) -> object:
            try:
                return await work(counter, desk)
            except Failure as answer:
                return answer

        if self._clerks[place].state is State.IDLE:
            self._run(self._clerks[place].begin(answered))
            self._look()

    @precondition(lambda self: len(self._market.quantities) < _MOST_ORDERS)
    @rule(place=CLERKS, key=KEYS)
    def order(self, place: int, key: str | None) -> None:
        customer = Actor.user(self._user.id, session_id=1)

        async def work(counter: Counter, _: Desk) -> None:
            self._market.opened(await counter.checkout(CreateCheckout(QUANTITY), customer, key), QUANTITY)

        self._begin(place, work)

    @rule(place=PLACES, way=st.sampled_from(Way))
    def pay(self, place: int, way: Way) -> None:
        self._market.pay(self._order_at(place), way)

    @rule(place=PLACES, act=ACTS, amount=AMOUNTS)
    def befall(self, place: int, act: Act, amount: int) -> None:
        payment_ids = self._market.payments
        self._market.befall(payment_ids[place % len(payment_ids)], act, amount)

    @rule(place=CLERKS, message=PLACES)
    def deliver(self, place: int, message: int) -> None:
        event = self._market.posted[message % len(self._market.posted)]
        self._begin(place, lambda counter, _: counter.hear(event))

    @rule(place=CLERKS, order=PLACES)
    def reconcile(self, place: int, order: int) -> None:
        command = ReconcilePurchase(self._order_at(order))
        self._begin(place, lambda counter, _: counter.reconcile(command, WORKER))

    @rule(place=CLERKS, order=PLACES, amount=st.none() | st.integers(1, 300))
    def refund(self, place: int, order: int, amount: int | None) -> None:
        bought = self._order_at(order)
        self._begin(
            place, lambda counter, _: counter.refund(RefundPurchase("sorry", amount), ROOT, transaction_id=bought)
        )

    @rule(place=CLERKS, message=PLACES, release=st.booleans())
    def judge(self, place: int, message: int, *, release: bool) -> None:
        payment_ids = self._market.payments
        row = self._run(
            self._stage.database.fetchrow(
                "SELECT id, payment_id FROM payment_events WHERE payment_id = $1 ORDER BY verdict DESC, id LIMIT 1",
                payment_ids[message % len(payment_ids)],
            )
        )

        async def work(counter: Counter, _: Desk) -> None:
            if release:
                await counter.release(ReleasePayment(row["id"], "agreed"), ROOT)
                self._market.released.add(row["payment_id"])
            else:
                await counter.replay(ReplayEvent(row["id"]), ROOT)

        if row is not None:
            self._begin(place, work)

    @rule(place=CLERKS, number=st.integers(0, 3), step=st.sampled_from(["place", "post", "void"]))
    def spend(self, place: int, number: int, step: str) -> None:
        """A try-on is accepted, completed or given up."""
        view = self._views[number]

        async def work(_: Counter, desk: Desk) -> None:
            if step == "place":
                self._asked_for.add(number)
                await desk.holds.place(self._user.id, [view])
            else:
                await getattr(desk.holds, step)(view)
            await self._clerks[place].hold()
            await desk.uow.commit()

        if step != "place" or number not in self._asked_for:
            self._begin(place, work)

    @rule(place=CLERKS)
    def let(self, place: int) -> None:
        """A commit happens; whoever waited for it goes on."""
        if self._clerks[place].state is State.HELD:
            self._run(self._clerks[place].let())
            self._run(self._clerks[1 - place].go_on())
            self._look()

    @rule(place=CLERKS)
    def die(self, place: int) -> None:
        self._run(self._clerks[place].die())
        self._run(self._clerks[1 - place].go_on())
        self._look()

    def _order_at(self, place: int) -> int:
        orders = list(self._market.quantities)
        return orders[place % len(orders)]

    def _look(self) -> None:
        """What holds of all that is committed, whoever stands where."""
        assert [one.state for one in self._clerks] != [State.WAITING] * 2, "they wait for one another"
        audit = self._run(self._stage.audit())
        assert (audit.differences, audit.payments_out_of_step) == ([], [])
        rows = self._run(
            self._stage.database.fetch(
                "SELECT id, amount, natural_key FROM ledger_entries WHERE user_id = $1 ORDER BY id", self._user.id
            )
        )
        entries = [tuple(row) for row in rows]
        assert set(self._entries) <= set(entries)
        self._entries = entries
        sums = self._run(self._stage.database.fetchrow("SELECT * FROM users WHERE id = $1", self._user.id))
        taken = -sum(amount for _, amount, key in entries if key.startswith("clawback:"))
        assert sums["credits"] - sums["credits_held"] + taken >= 0, "somebody spent what was not there"

    def teardown(self) -> None:
        """Everybody finishes, everything arrives, the latest first, and the books say what they must."""
        if not self._clerks:
            return
        self._run(to_the_end(*self._clerks))
        for event in reversed(self._market.posted):
            self._alone(lambda counter, _, event=event: counter.hear(event))  # type: ignore[misc]
        self._look()
        bought_credits, frozen = self._market.promised()
        sums = self._run(self._stage.database.fetchrow("SELECT * FROM users WHERE id = $1", self._user.id))
        spent = sum(key.startswith("spend:") for _, _, key in self._entries)
        assert (sums["credits"], sums["credits_frozen"]) == (self._granted + bought_credits - spent, frozen)
        self._run(self._stack.aclose())

    def _alone(self, work: Work) -> None:
        self._begin(0, work)
        self._run(self._clerks[0].finish())


@pytest.mark.hypothesis
def test_money_is_where_it_must_be_whatever_two_sessions_do(runner: asyncio.Runner, database_url: str) -> None:
    """Nothing is granted or taken twice, nobody waits in a circle, and at the end all is as if told once, in order."""
    stack = AsyncExitStack()

    stage = runner.run(stack.enter_async_context(open_stage(database_url)))
    try:
        # Each step is a round trip or two: fewer examples than where no server is asked, and none made smaller.
        phases = [phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}]
        fewer = settings(max_examples=min(settings().max_examples // 3, _MOST_EXAMPLES), phases=phases)
        run_state_machine_as_test(partial(Money, runner, stage), settings=fewer)  # type: ignore[arg-type] # any factory
    finally:
        runner.run(stack.aclose())
