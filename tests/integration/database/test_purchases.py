"""What the records of purchases promise, asked of those in memory and of those in PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from application.payments.ports import (
    DisputeReport,
    Finding,
    KeptEvent,
    PaymentEvents,
    PaymentNews,
    PaymentRepository,
    RefundReport,
    Report,
    TransactionRepository,
    Verdict,
)
from domain.payments import Dispute, DisputeState, Refund, RefundStatus
from domain.transactions import CartLine, Mismatch, PaymentReport, PaymentStatus, Transaction
from tests.counter import OFFER, message
from tests.in_memory import Transaction as Work
from tests.in_memory_purchases import InMemoryPaymentEvents, InMemoryPayments, InMemoryTransactions
from tests.integration.database.stage import Desk, Stage
from tests.unit.factories import NOW

REPORTS: list[Report | None] = [
    PaymentNews(
        happened=PaymentStatus.UNDER_WAY,
        payment=PaymentReport(
            payment_id="pay_1",
            session_id=None,
            status=PaymentStatus.SUCCEEDED,
            total=2**53 - 1,
            tax=0,
            currency="USD",
            cart=(CartLine("pdt_1", 10), CartLine("pdt_2", 2**31 - 1)),
            ordered=2**62,
        ),
    ),
    RefundReport(refund_id="ref_1", payment_id="pay_1", amount=0, currency="JPY", status=RefundStatus.PENDING),
    DisputeReport(dispute_id="dp_1", payment_id="pay_1", amount=5, currency="EUR", state=DisputeState.LOST),
    None,
]


class Records:
    """One transaction after another, over the records of purchases."""

    transactions: TransactionRepository
    payments: PaymentRepository
    events: PaymentEvents
    owner: int

    async def commit(self) -> None: ...

    async def abandon(self) -> None: ...

    async def order(self) -> Transaction:
        order = Transaction.order(self.owner, 10, OFFER, NOW)
        await self.transactions.add(order)
        return order


class InMemoryRecords(Records):
    def __init__(self) -> None:
        self._work = Work(NOW)
        self.transactions = InMemoryTransactions(self._work)
        self.payments = InMemoryPayments(self._work)
        self.events = InMemoryPaymentEvents(self._work)
        self.owner = 7

    async def commit(self) -> None:
        await self._work.commit()

    async def abandon(self) -> None:
        self._work.abandon()


class PostgresRecords(Records):
    def __init__(self, desk: Desk, owner: int) -> None:
        self._desk = desk
        self.transactions, self.payments, self.events = desk.transactions, desk.payments, desk.events
        self.owner = owner

    async def commit(self) -> None:
        await self._desk.uow.commit()
        self._desk.session.expunge_all()

    async def abandon(self) -> None:
        await self._desk.uow.rollback()
        self._desk.session.expunge_all()


@pytest.fixture
def memory() -> Records:
    return InMemoryRecords()


@pytest.fixture
async def postgres(stage: Stage) -> AsyncIterator[Records]:
    user = await stage.user()
    async with stage.desk() as desk:
        yield PostgresRecords(desk, user.id)


@pytest.fixture(params=["memory", "postgres"])
def records(request: pytest.FixtureRequest) -> Records:
    found: Records = request.getfixturevalue(request.param)
    return found


async def test_an_order_has_an_id_at_once_and_is_found_by_it_and_by_its_checkout(records: Records) -> None:
    order = await records.order()
    order.opened("cks_1", "https://checkout.test/1", NOW)
    assert await records.transactions.claim(order.id) is order
    await records.commit()
    found = await records.transactions.claim_by_session("cks_1")
    assert found is not None
    assert (found.id, found.credits, found.price, found.ask_at) == (order.id, 10, OFFER.price, NOW)
    assert await records.transactions.claim(order.id) is found
    assert await records.transactions.claim(order.id + 1) is None
    assert await records.transactions.claim_by_session("cks_2") is None


async def test_an_order_that_was_not_committed_was_never_there(records: Records) -> None:
    order = await records.order()
    await records.abandon()
    assert await records.transactions.claim(order.id) is None


async def test_what_was_not_committed_of_an_order_has_not_happened(records: Records) -> None:
    order_id = (await records.order()).id
    await records.commit()
    order = await records.transactions.claim(order_id)
    assert order is not None
    order.not_opened()
    await records.abandon()
    found = await records.transactions.claim(order_id)
    assert found is not None
    assert found.status == "PENDING"


async def test_what_is_worth_asking_about_is_what_has_a_time_to_be_asked(records: Records) -> None:
    first, second = await records.order(), await records.order()
    for order, session in ((first, "cks_1"), (second, "cks_2")):
        order.opened(session, "https://checkout.test", NOW)
    second.ask_at = None
    unopened = await records.order()
    await records.commit()
    assert list(await records.transactions.open()) == [first.id, unopened.id]


async def test_a_payment_is_there_as_soon_as_it_is_named(records: Records) -> None:
    """With nothing granted; naming it again changes nothing."""
    payment = await records.payments.claim("pay_1")
    assert (payment.transaction_id, payment.granted, payment.refunds, payment.disputes) == (None, 0, [], [])
    assert await records.payments.claim("pay_1") is payment
    await records.abandon()
    assert (await records.payments.claim("pay_1")).granted == 0


async def test_what_is_noted_of_a_payment_stays_with_it(records: Records) -> None:
    """Also within the transaction that noted it."""
    order = await records.order()
    payment = await records.payments.claim("pay_1")
    payment.grant(order.id, 10, total=1000, currency="USD")
    payment.note_refund(Refund(id="ref_1", amount=250, currency="USD", status=RefundStatus.SUCCEEDED, noted_at=NOW))
    payment.note_dispute(Dispute(id="dp_1", amount=9, currency="EUR", state=DisputeState.OPEN, noted_at=NOW))
    payment.reckon()
    assert (await records.payments.claim("pay_1")).taken == 3
    await records.commit()
    found = await records.payments.claim("pay_1")
    assert (found.transaction_id, found.granted, found.taken, found.frozen) == (order.id, 10, 3, 0)
    assert [(refund.id, refund.amount, refund.status) for refund in found.refunds] == [("ref_1", 250, "SUCCEEDED")]
    assert [(dispute.id, dispute.currency, dispute.state) for dispute in found.disputes] == [("dp_1", "EUR", "OPEN")]


async def test_what_was_not_committed_of_a_payment_has_not_happened(records: Records) -> None:
    await records.payments.claim("pay_1")
    await records.commit()
    payment = await records.payments.claim("pay_1")
    payment.note_refund(Refund(id="ref_1", amount=1, currency="USD", status=RefundStatus.FAILED, noted_at=NOW))
    await records.abandon()
    assert (await records.payments.claim("pay_1")).refunds == []


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
async def test_an_event_is_kept_once_with_what_it_reports(records: Records, report: Report | None) -> None:
    event_id = await records.events.add(message(report, "evt_1"))
    assert event_id is not None
    await records.commit()
    assert await records.events.add(message(None, "evt_1")) is None
    assert await records.events.claim(event_id) == KeptEvent(event_id, "event", Verdict.IGNORED, report, None)
    assert await records.events.claim(event_id + 1) is None


async def test_an_event_that_was_not_committed_has_not_come(records: Records) -> None:
    await records.events.add(message(None, "evt_1"))
    await records.abandon()
    assert await records.events.add(message(None, "evt_1")) is not None


async def test_what_became_of_an_event_is_noted(records: Records) -> None:
    """As often as it is settled anew."""
    order = await records.order()
    event_id = await records.events.add(message(REPORTS[0], "evt_1"))
    assert event_id is not None
    for finding in (
        Finding(Verdict.QUARANTINED, Mismatch.AMOUNT_TOO_LOW, order.id),
        Finding(Verdict.RELEASED, transaction_id=order.id),
        Finding(Verdict.WAITING),
    ):
        await records.events.settle(event_id, finding)
        await records.commit()
        kept = await records.events.claim(event_id)
        assert kept is not None
        assert (kept.verdict, kept.transaction_id) == (finding.verdict, finding.transaction_id)
