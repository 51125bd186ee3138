"""Customers, banks, webhooks, the reconciler, operators and deaths in any order, against what is promised of money."""

import asyncio
from collections.abc import Awaitable
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from application.payments.ports import Verdict
from application.payments.release_payment import ReleasePayment
from application.payments.replay_event import ReplayEvent
from domain.credits import VIEW_PRICE, Cause, HoldStatus, InsufficientCredits
from domain.errors import Failure
from domain.renders import ViewRender
from tests.counter import ROOT
from tests.in_memory import Entry
from tests.money.market import Act, Market, Way
from tests.unit.application.till import Till
from tests.unit.factories import try_on

PLACES = st.integers(0, 30)
"""Of something among those that there are; counted round."""
QUANTITIES = st.integers(2, 5)
AMOUNTS = st.integers(0, 700)
CURRENCIES = st.sampled_from(["USD", "USD", "EUR"])
DEATHS = st.sampled_from([None, None, None, 1, 2, 3])
"""At which commit the process dies, if it does."""
_MOST_ORDERS = 4


class Arrival(StrEnum):
    """Of the messages that did not arrive so far, when everything comes to its end."""

    IN_ORDER = "in order"
    BACKWARDS = "backwards"
    NEVER = "never"


class Money(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._seen: list[Entry] = []
        self._arrived: set[str] = set()
        self._granted = 0
        self._views: list[ViewRender] = []
        self._keys: dict[str, int] = {}

    @initialize(
        credits_=st.integers(0, 3),
        quantity=QUANTITIES,
        befell=st.lists(st.tuples(st.sampled_from(Act), AMOUNTS, CURRENCIES), min_size=2, max_size=6),
        arrive=st.sampled_from(Arrival),
    )
    def begin(self, credits_: int, quantity: int, befell: list[tuple[Act, int, str]], arrive: Arrival) -> None:
        """Two orders have been paid, one of them with too little; more befell them, and nobody has told of it.

        `arrive`: how all messages will at last; if never, the reconciler has to find out about the rest.
        """
        self._arrive = arrive
        self._till = self._runner.run(Till.opened(credits_=credits_))
        self._market = Market(self._till.seller)
        self._granted = credits_
        for way in (Way.WELL, Way.TOO_LITTLE):
            opened = self._runner.run(self._till.order(quantity))
            self._market.opened(opened, quantity)
            self._market.pay(opened.transaction_id, way)
        for place, (act, amount, currency) in enumerate(befell):
            self.befall(place // 2, act, amount, currency)

    def _do(self, work: Awaitable[Any], dies: int | None = None) -> Any:
        """A request from beginning to end, or to its death; the failures that a handler may answer with are answers."""
        till = self._till
        till.uow.dies_in = dies

        async def request() -> Any:
            try:
                return await till.request(work)
            except (Failure, ConnectionError) as answer:
                return answer

        outcome = self._runner.run(request())
        till.uow.dies_in = None
        return outcome

    @property
    def _entries(self) -> list[Entry]:
        return self._till.accounts.entries(1)

    @precondition(lambda self: len(self._market.quantities) < _MOST_ORDERS)
    @rule(quantity=QUANTITIES, key=st.sampled_from([None, "a", "b"]), dies=DEATHS)
    def order(self, quantity: int, key: str | None, dies: int | None) -> None:
        """A key orders what it was first used for; whoever dies over it is followed after a while."""
        quantity = self._keys.setdefault(key, quantity) if key else quantity
        self._till.uow.pass_time(minutes=3)
        opened = self._do(self._till.order(quantity, key=key), dies)
        if not isinstance(opened, Exception):
            assert self._market.quantities.get(opened.transaction_id, quantity) == quantity
            self._market.opened(opened, quantity)

    @rule(place=PLACES, way=st.sampled_from(Way))
    def pay(self, place: int, way: Way) -> None:
        orders = list(self._market.quantities)
        self._market.pay(orders[place % len(orders)], way)

    @rule(place=PLACES, act=st.sampled_from(Act), amount=AMOUNTS, currency=CURRENCIES)
    def befall(self, place: int, act: Act, amount: int, currency: str) -> None:
        payment_ids = self._market.payments
        self._market.befall(payment_ids[place % len(payment_ids)], act, amount, currency)

    @rule(place=PLACES, anew=st.booleans(), dies=DEATHS)
    def deliver(self, place: int, *, anew: bool, dies: int | None) -> None:
        """Any message, as often as may be, also under another id."""
        event = self._market.posted[place % len(self._market.posted)]
        webhook_id = None if anew else event.webhook_id
        outcome = self._do(self._till.hear(event.report, webhook_id=webhook_id), dies)
        self._answered(outcome, dies)
        if not isinstance(outcome, Exception):
            self._arrived.add(event.webhook_id)

    @rule(place=PLACES, dies=DEATHS, hours=st.sampled_from([0, 1, 30]))
    def reconcile(self, place: int, dies: int | None, hours: int) -> None:
        orders = list(self._market.quantities)
        self._till.uow.pass_time(hours=hours)
        self._answered(self._do(self._till.reconcile(orders[place % len(orders)]), dies), dies)

    @rule(place=PLACES, amount=st.none() | st.integers(1, 700), dies=DEATHS)
    def refund(self, place: int, amount: int | None, dies: int | None) -> None:
        orders = list(self._market.quantities)
        self._do(self._till.refund(orders[place % len(orders)], amount), dies)

    @precondition(lambda self: self._till.events.table.kept)
    @rule(place=PLACES, release=st.booleans(), dies=DEATHS)
    def judge(self, place: int, *, release: bool, dies: int | None) -> None:
        rows = list(self._till.events.table.kept.values())
        row = rows[place % len(rows)]
        if not release:
            self._do(self._till.counter.replay(ReplayEvent(row.id), ROOT), dies)
            return
        released = self._do(self._till.counter.release(ReleasePayment(row.id, "agreed"), ROOT), dies)
        if not isinstance(released, Exception):
            assert row.verdict is Verdict.QUARANTINED
            self._market.released.add(row.event.report.payment.payment_id)  # type: ignore[union-attr]

    @rule()
    def spend(self) -> None:
        """A try-on is accepted where there is a credit for it, and nowhere else."""
        view = try_on().front
        _, _, available = self._runner.run(self._till.balance())
        refused = self._do(self._commit(self._till.accounts.place(1, [view])))
        assert isinstance(refused, InsufficientCredits) == (available < VIEW_PRICE)
        if refused is None:
            self._views.append(view)

    @precondition(lambda self: self._views)
    @rule(place=PLACES, completed=st.booleans(), dies=DEATHS)
    def resolve(self, place: int, *, completed: bool, dies: int | None) -> None:
        """A try-on ends; one that has ended before stays as it is."""
        view = self._views[place % len(self._views)]
        before = self._till.accounts.hold_of(view)
        accounts = self._till.accounts
        self._do(self._commit(accounts.post(view) if completed else accounts.void(view)), dies)
        after = HoldStatus.POSTED if completed else HoldStatus.VOIDED
        assert self._till.accounts.hold_of(view) in {before, after if before is HoldStatus.PENDING else before}

    async def _commit(self, work: Awaitable[Any]) -> None:
        await work
        await self._till.uow.commit()

    def _answered(self, outcome: Any, dies: int | None) -> None:
        assert dies is not None or not isinstance(outcome, Exception), "only a death stops what the provider tells"

    @invariant()
    def entries_stay_and_count_once(self) -> None:
        assert self._entries[: len(self._seen)] == self._seen
        assert len({entry.natural_key for entry in self._entries}) == len(self._entries)
        self._seen = self._entries

    @invariant()
    def sums_follow_from_entries_holds_and_payments(self) -> None:
        total, frozen, available = self._runner.run(self._till.balance())
        held = sum(self._till.accounts.hold_of(view) is HoldStatus.PENDING for view in self._views)
        assert total == sum(entry.amount for entry in self._entries)
        assert frozen == sum(payment.frozen for payment in self._till.payments.table.kept.values())
        assert available == total - held - frozen

    @invariant()
    def a_payment_and_an_order_grant_once_and_lose_no_more_than_that(self) -> None:
        payments = [one for one in self._till.payments.table.kept.values() if one.transaction_id is not None]
        assert len({payment.transaction_id for payment in payments}) == len(payments)
        for payment in payments:
            granted = self._entered(f"purchase:{payment.transaction_id}")
            taken = self._entered(f"clawback:{payment.id}:")
            assert granted == [payment.granted]
            assert 0 <= -sum(taken) == payment.taken <= payment.granted

    def _entered(self, key: str) -> list[int]:
        """Amounts of the entries with this key, or with one that begins so where it ends in a colon."""
        keys = ((entry.natural_key, entry.amount) for entry in self._entries)
        return [amount for name, amount in keys if name == key or (key.endswith(":") and name.startswith(key))]

    @invariant()
    def nobody_spends_what_is_not_there(self) -> None:
        """But for what was taken back and frozen after it was spent, there is always enough for what is under way."""
        taken = -sum(entry.amount for entry in self._entries if entry.cause in {Cause.REFUND, Cause.DISPUTE})
        _, frozen, available = self._runner.run(self._till.balance())
        assert available + frozen + taken >= 0

    def teardown(self) -> None:
        with self._runner:
            if hasattr(self, "_till"):
                self._come_to_an_end()

    def _come_to_an_end(self) -> None:
        """All messages arrive, or else the reconciler goes round: either way the books say what they must."""
        for event in self._market.posted[:: -1 if self._arrive is Arrival.BACKWARDS else 1]:
            if self._arrive is not Arrival.NEVER:
                self._do(self._till.hear(event.report, webhook_id=event.webhook_id))
        for transaction_id in self._market.quantities:
            if self._arrive is Arrival.NEVER:
                self._do(self._till.reconcile(transaction_id))
        self.entries_stay_and_count_once()
        self.sums_follow_from_entries_holds_and_payments()
        spent = sum(self._till.accounts.hold_of(view) is HoldStatus.POSTED for view in self._views)
        bought, frozen = self._market.promised(self._arrived if self._arrive is Arrival.NEVER else None)
        total, really_frozen, _ = self._runner.run(self._till.balance())
        assert (total, really_frozen) == (self._granted + bought - spent * VIEW_PRICE, frozen)


TestMoney = Money.TestCase
