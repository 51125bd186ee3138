"""What the payment provider tells, entered once: what it grants, takes and freezes, and what is not believed."""

import pytest
from msgspec.structs import replace

from application.events import CreditsPurchased, PurchaseRefunded
from application.payments.ports import Verdict
from domain.credits import Cause
from domain.payments import DisputeState, RefundStatus
from domain.transactions import CartLine, Mismatch, PaymentStatus
from tests.in_memory_purchases import EventRow
from tests.unit.application.till import Till


def last_event(till: Till) -> EventRow:
    return max(till.events.table.kept.values(), key=lambda row: row.id)


async def test_a_payment_grants_what_was_ordered_once_however_often_it_is_told() -> None:
    """Under one id, under others, and by the reconciler."""
    till = await Till.opened()
    bought, payment_id = await till.buy(10)
    for webhook_id in ("evt_1", "evt_1", "evt_other"):
        await till.hear(till.news(payment_id), webhook_id=webhook_id)
    await till.reconcile(bought)
    assert till.credits() == [(10, Cause.PURCHASE)]
    assert [type(event) for event in till.outbox.events] == [CreditsPurchased]
    assert till.purchase(bought).status == "SUCCEEDED"


async def test_an_event_whose_transaction_came_to_nothing_counts_when_it_comes_again() -> None:
    """A process that dies before its commit has done nothing, and has not used the event's id up."""
    till = await Till.opened()
    payment_id = till.seller.pay((await till.order()).session_id)
    till.uow.dies_in = 1
    with pytest.raises(ConnectionError):
        await till.hear(till.news(payment_id), webhook_id="evt_1")
    assert (till.credits(), till.events.table.kept, till.outbox.events) == ([], {}, [])
    await till.hear(till.news(payment_id), webhook_id="evt_1")
    assert till.credits() == [(10, Cause.PURCHASE)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"total": 999}, Mismatch.AMOUNT_TOO_LOW),
        ({"total": 0, "currency": "JPY"}, Mismatch.AMOUNT_TOO_LOW),
        ({"cart": (CartLine("pdt_1", 9),)}, Mismatch.QUANTITY_MISMATCH),
        ({"cart": (CartLine("pdt_2", 10),)}, Mismatch.PRODUCT_MISMATCH),
        ({"buyer": 999}, Mismatch.OWNER_MISMATCH),
        ({"session_id": "cks_other"}, Mismatch.SESSION_UNKNOWN),
        ({"session_id": None, "ordered": None}, Mismatch.SESSION_UNKNOWN),
    ],
    ids=str,
)
async def test_what_was_not_ordered_so_is_kept_for_operators(changes: dict[str, object], reason: Mismatch) -> None:
    till = await Till.opened()
    await till.pay(await till.order(), **changes)
    assert till.credits() == []
    assert (last_event(till).verdict, last_event(till).reason) == (Verdict.QUARANTINED, reason)
    assert till.alerts.kinds == ["payment_quarantined"]


async def test_a_second_payment_of_one_order_grants_nothing() -> None:
    """Nor is it lost: an operator sees it."""
    till = await Till.opened()
    order = await till.order()
    await till.pay(order)
    await till.pay(order)
    assert till.credits() == [(10, Cause.PURCHASE)]
    assert last_event(till).reason is Mismatch.PAID_ALREADY


async def test_one_payment_that_is_told_of_two_orders_pays_the_first() -> None:
    till = await Till.opened()
    first, second = await till.order(10), await till.order(20)
    payment_id = await till.pay(first)
    told = replace(till.seller.payments[payment_id].payment, session_id=second.session_id)
    await till.hear(replace(till.news(payment_id), payment=told))
    assert till.credits() == [(10, Cause.PURCHASE)]
    assert till.purchase(second.transaction_id).status == "PENDING"


async def test_what_cannot_be_read_is_kept_for_operators_and_what_does_not_concern_us_is_not_minded() -> None:
    till = await Till.opened()
    await till.hear(None, readable=False)
    assert (last_event(till).verdict, last_event(till).reason) == (Verdict.QUARANTINED, Mismatch.UNREADABLE)
    await till.hear(None)
    assert last_event(till).verdict is Verdict.IGNORED
    assert till.alerts.kinds == ["payment_quarantined"]


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (PaymentStatus.UNDER_WAY, "PROCESSING"),
        (PaymentStatus.FAILED, "FAILED"),
        (PaymentStatus.CANCELLED, "CANCELLED"),
    ],
)
async def test_a_payment_that_came_to_nothing_is_shown_and_may_yet_succeed(status: PaymentStatus, shown: str) -> None:
    till = await Till.opened()
    bought, payment_id = await till.buy(status=status)
    assert (till.purchase(bought).status, till.credits()) == (shown, [])
    till.seller.settle(payment_id)
    await till.hear(till.news(payment_id))
    await till.hear(till.news(payment_id, status))
    assert (till.purchase(bought).status, till.credits()) == ("SUCCEEDED", [(10, Cause.PURCHASE)])


async def test_refunds_take_their_share_and_never_more_than_was_granted() -> None:
    """Larger than the payment, several, and told again: at the end all of it is gone, and no more."""
    till = await Till.opened(credits_=5)
    bought, payment_id = await till.buy(10)
    for amount in (250, 5000):
        refund = till.seller.return_money(payment_id, amount)
        await till.hear(refund)
        await till.hear(refund)
    assert till.credits()[2:] == [(-3, Cause.REFUND), (-7, Cause.REFUND)]
    assert till.purchase(bought).status == "REFUNDED"
    assert [type(event) for event in till.outbox.events].count(PurchaseRefunded) == 2


async def test_a_refund_that_has_not_gone_through_takes_nothing() -> None:
    till = await Till.opened()
    _, payment_id = await till.buy(10)
    refund = till.seller.return_money(payment_id)
    for status in (RefundStatus.PENDING, RefundStatus.FAILED):
        await till.hear(replace(refund, status=status))
    assert await till.balance() == (10, 0, 10)


async def test_what_comes_before_its_payment_waits_for_it() -> None:
    till = await Till.opened()
    order = await till.order(10)
    payment_id = till.seller.pay(order.session_id)
    await till.hear(till.seller.return_money(payment_id, 500))
    await till.hear(till.seller.dispute(payment_id, DisputeState.OPEN))
    assert {row.verdict for row in till.events.table.kept.values()} == {Verdict.WAITING}
    await till.hear(till.news(payment_id))
    assert await till.balance() == (5, 5, 0)
    assert till.purchase(order.transaction_id).status == "DISPUTED"


@pytest.mark.parametrize(
    ("end", "left", "status"),
    [(DisputeState.WON, (10, 0, 10), "SUCCEEDED"), (DisputeState.LOST, (0, 0, 0), "DISPUTED")],
)
async def test_a_dispute_freezes_and_its_end_decides(
    end: DisputeState, left: tuple[int, int, int], status: str
) -> None:
    """Operators hear of it once, while there is time to answer it."""
    till = await Till.opened()
    bought, payment_id = await till.buy(10)
    for state in (DisputeState.OPEN, DisputeState.OPEN):
        await till.hear(till.seller.dispute(payment_id, state))
    assert await till.balance() == (10, 10, 0)
    await till.hear(till.seller.dispute(payment_id, end))
    assert (await till.balance(), till.purchase(bought).status) == (left, status)
    assert till.alerts.kinds == ["payment_disputed"]


async def test_a_dispute_of_more_than_was_paid_takes_what_was_granted() -> None:
    till = await Till.opened(credits_=5)
    _, payment_id = await till.buy(10)
    await till.hear(replace(till.seller.dispute(payment_id, DisputeState.LOST), amount=10**12))
    assert await till.balance() == (5, 0, 5)


async def test_a_refund_or_dispute_in_another_currency_is_for_operators() -> None:
    """Nothing can be compared, so nothing is taken and nothing frozen."""
    till = await Till.opened()
    _, payment_id = await till.buy(10)
    for report in (till.seller.return_money(payment_id), till.seller.dispute(payment_id, DisputeState.LOST)):
        await till.hear(replace(report, currency="EUR"))
        assert last_event(till).reason is Mismatch.CURRENCY_MISMATCH
    assert await till.balance() == (10, 0, 10)
    assert till.alerts.kinds == ["payment_quarantined"] * 2


async def test_money_of_somebody_who_has_gone_stays_with_the_pseudonym_and_operators_hear_of_it() -> None:
    till = await Till.opened()
    order = await till.order(10)
    till.ada.erase(till.uow.time)
    payment_id = await till.pay(order)
    await till.hear(till.seller.return_money(payment_id))
    assert till.credits() == [(10, Cause.PURCHASE), (-10, Cause.REFUND)]
    assert till.alerts.kinds == ["payment_for_erased_account", "refund_for_erased_account"]
