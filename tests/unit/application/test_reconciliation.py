"""Asking the payment provider how purchases stand: what it answers counts as if it had come by webhook."""

from datetime import timedelta

import pytest

from application.actor import Actor
from application.payments.ports import Verdict
from application.payments.reconcile_purchases import ReconcilePurchases
from application.payments.reconciliation import Reconciled
from domain.credits import Cause
from domain.errors import Forbidden, NotFound, Unavailable
from domain.payments import DisputeState
from domain.transactions import CHECKOUT_LIFE, LAST_NEWS, PaymentStatus, TransactionStatus
from tests.counter import EVERY, ROOT
from tests.in_memory import AuditNote
from tests.unit.application.reception import WORKER
from tests.unit.application.till import Till

PENDING, SUCCEEDED = TransactionStatus.PENDING, TransactionStatus.SUCCEEDED


async def test_a_payment_is_credited_though_nobody_told_of_it() -> None:
    """Once: when it is told of later, nothing more comes."""
    till = await Till.opened()
    order = await till.order(10)
    payment_id = till.seller.pay(order.session_id)
    assert await till.reconcile(order.transaction_id) == Reconciled(order.transaction_id, PENDING, SUCCEEDED)
    await till.hear(till.news(payment_id))
    assert await till.reconcile(order.transaction_id) == Reconciled(order.transaction_id, SUCCEEDED, SUCCEEDED)
    assert till.credits() == [(10, Cause.PURCHASE)]


async def test_the_moneys_way_back_is_found_as_well() -> None:
    till = await Till.opened()
    bought, payment_id = await till.buy(10)
    till.seller.return_money(payment_id, 250)
    till.seller.dispute(payment_id, DisputeState.OPEN)
    assert (await till.reconcile(bought)).after == "DISPUTED"
    assert await till.balance() == (7, 7, 0)
    till.seller.dispute(payment_id, DisputeState.WON)
    assert (await till.reconcile(bought)).after == "PARTIALLY_REFUNDED"
    assert await till.balance() == (7, 0, 7)


@pytest.mark.parametrize("deaths", [1, 2, 3, 4, 5])
async def test_who_dies_between_two_answers_is_followed_by_another(deaths: int) -> None:
    """Each answer counts by itself, and once, whichever of the commits was the last."""
    till = await Till.opened()
    order = await till.order(10)
    payment_id = till.seller.pay(order.session_id)
    till.seller.return_money(payment_id, 250)
    till.seller.dispute(payment_id, DisputeState.OPEN)
    till.uow.dies_in = deaths
    with pytest.raises(ConnectionError):
        await till.reconcile(order.transaction_id)
    await till.reconcile(order.transaction_id)
    assert till.credits() == [(10, Cause.PURCHASE), (-3, Cause.REFUND)]
    assert await till.balance() == (7, 7, 0)


async def test_a_mismatch_is_kept_and_told_once_however_often_it_is_seen() -> None:
    till = await Till.opened()
    order = await till.order(10)
    till.seller.pay(order.session_id, total=999)
    for _ in range(3):
        await till.reconcile(order.transaction_id)
    (kept,) = till.events.table.kept.values()
    assert (kept.verdict, kept.reason) == (Verdict.QUARANTINED, "amount_too_low")
    assert till.alerts.kinds == ["payment_quarantined"]
    assert till.credits() == []


async def test_what_cannot_be_read_is_shown_to_operators_once_and_stops_nothing_else() -> None:
    till = await Till.opened()
    order = await till.order(10)
    payment_id = till.seller.pay(order.session_id)
    till.seller.payments[payment_id].unreadable.append(b'{"refund_id": 5}')
    till.seller.return_money(payment_id, 250)
    for _ in range(3):
        await till.reconcile(order.transaction_id)
    (kept,) = till.events.table.kept.values()
    assert (kept.verdict, kept.reason, kept.event.body) == (Verdict.QUARANTINED, "unreadable", b'{"refund_id": 5}')
    assert till.alerts.kinds == ["payment_quarantined"]
    assert till.credits() == [(10, Cause.PURCHASE), (-3, Cause.REFUND)]


async def test_while_the_provider_is_away_nothing_changes() -> None:
    till = await Till.opened()
    order = await till.order(10)
    till.seller.pay(order.session_id)
    till.seller.is_away = True
    with pytest.raises(Unavailable):
        await till.reconcile(order.transaction_id)
    assert till.purchase(order.transaction_id).status == "PENDING"


async def test_what_nobody_paid_ends_and_is_not_asked_about_any_more() -> None:
    till = await Till.opened()
    order = await till.order(10)
    await till.reconcile(order.transaction_id)
    assert till.purchase(order.transaction_id).ask_at == till.uow.time + EVERY.interval
    till.uow.pass_time(seconds=(CHECKOUT_LIFE + LAST_NEWS + timedelta(minutes=1)).total_seconds())
    assert (await till.reconcile(order.transaction_id)).after == "CANCELLED"
    assert till.purchase(order.transaction_id).ask_at is None


async def test_who_pays_after_the_end_is_credited() -> None:
    till = await Till.opened()
    order = await till.order(10)
    till.uow.pass_time(days=2)
    await till.reconcile(order.transaction_id)
    await till.pay(order)
    assert till.credits() == [(10, Cause.PURCHASE)]


async def test_operators_ask_about_all_that_may_yet_change() -> None:
    """They are shown what did, and it is noted that they asked."""
    till = await Till.opened()
    paid, unpaid = await till.order(10), await till.order(20)
    till.seller.pay(paid.session_id)
    outcome = await till.request(till.counter.reconcile_all(ReconcilePurchases(), ROOT))
    assert (outcome.asked, outcome.changed) == (2, [Reconciled(paid.transaction_id, PENDING, SUCCEEDED)])
    one = await till.request(till.counter.reconcile_all(ReconcilePurchases(unpaid.transaction_id), ROOT))
    assert (one.asked, one.changed) == (1, [])
    assert till.audit.kept == [
        AuditNote("root", "payment.reconcile", "transactions", None, {"asked": 2}),
        AuditNote("root", "payment.reconcile", f"transaction:{unpaid.transaction_id}", None, {"asked": 1}),
    ]


async def test_nothing_is_asked_about_what_is_not_there() -> None:
    till = await Till.opened()
    with pytest.raises(NotFound) as refusal:
        await till.reconcile(1)
    assert refusal.value.code == "transaction_not_found"


@pytest.mark.parametrize("actor", [WORKER, Actor.user(1, session_id=1)], ids=["worker", "customer"])
async def test_only_operators_ask_out_of_turn(actor: Actor) -> None:
    till = await Till.opened()
    order = await till.order(10)
    till.seller.pay(order.session_id, status=PaymentStatus.SUCCEEDED)
    with pytest.raises(Forbidden):
        await till.request(till.counter.reconcile_all(ReconcilePurchases(), actor))
    assert till.credits() == []
