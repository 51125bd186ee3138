"""Asking the provider: a purchase is credited, and a refund taken, though no webhook ever came."""

import asyncio

import pytest
from msgspec.structs import replace

from application.actor import Actor
from application.payments.refund_purchase import RefundPurchase, RefundPurchaseHandler
from domain.errors import Conflict, Unavailable
from domain.payments import DisputeState, RefundStatus
from domain.transactions import CartLine, PaymentStatus
from tests.integration.http.shop import attempt, balance, buy, order, purchase, told
from tests.integration.http.stories import Service
from tests.selling import payment_event

ROOT = Actor.operator("root")


async def test_a_paid_order_is_credited_though_no_webhook_came(service: Service) -> None:
    """From the first look on; the webhook that comes later changes nothing."""
    ada = await service.customer(credits=0)
    opened = await order(ada, 10)
    payment_id = service.seller.pay(opened["session_id"])
    await service.worker.reconcile()
    assert await balance(ada) == (10, 0, 10)
    await told(service, payment_event(service.seller.payments[payment_id].payment))
    assert await balance(ada) == (10, 0, 10)


async def test_webhook_and_reconciler_at_once_grant_once(service: Service) -> None:
    ada = await service.customer(credits=0)
    payment_id = service.seller.pay((await order(ada, 10))["session_id"])
    event = payment_event(service.seller.payments[payment_id].payment)
    await asyncio.gather(service.worker.reconcile(), *(told(service, event) for _ in range(4)))
    assert await balance(ada) == (10, 0, 10)


async def test_refunds_and_disputes_are_found_without_webhooks(service: Service) -> None:
    service.expected_alerts = ["payment_disputed"]
    ada = await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 10)
    service.seller.return_money(payment_id, 250)
    service.seller.dispute(payment_id, DisputeState.OPEN)
    await service.worker.reconcile()
    assert await balance(ada) == (7, 7, 0)
    service.seller.dispute(payment_id, DisputeState.WON)
    await service.pass_time(60)
    await service.worker.reconcile()
    assert await balance(ada) == (7, 0, 7)
    assert (await purchase(ada, bought))["status"] == "PARTIALLY_REFUNDED"


@pytest.mark.parametrize(
    ("status", "shown"), [(PaymentStatus.FAILED, "FAILED"), (PaymentStatus.UNDER_WAY, "PROCESSING")]
)
async def test_what_came_to_nothing_is_shown(service: Service, status: PaymentStatus, shown: str) -> None:
    ada = await service.customer(credits=0)
    bought, _ = await attempt(service, ada, status)
    await service.worker.reconcile()
    assert ((await purchase(ada, bought))["status"], await balance(ada)) == (shown, (0, 0, 0))


async def test_a_checkout_that_nobody_paid_is_cancelled_after_a_day(service: Service) -> None:
    ada = await service.customer(credits=0)
    opened = await order(ada, 10)
    await service.worker.reconcile()
    assert (await purchase(ada, opened["transaction_id"]))["status"] == "PENDING"
    await service.pass_time(27 * 3600)
    await service.worker.reconcile()
    assert (await purchase(ada, opened["transaction_id"]))["status"] == "CANCELLED"
    asked = len(service.log)
    await service.worker.reconcile()
    assert len(service.log) == asked


async def test_a_bank_that_takes_days_is_waited_for(service: Service) -> None:
    """The payment was begun in time; that no webhook tells of its end costs nobody anything."""
    ada = await service.customer(credits=0)
    opened = await order(ada, 10)
    payment_id = service.seller.pay(opened["session_id"], status=PaymentStatus.UNDER_WAY)
    await service.pass_time(25 * 3600)
    await service.worker.reconcile()
    await service.pass_time(72 * 3600)
    await service.worker.reconcile()
    assert (await purchase(ada, opened["transaction_id"]))["status"] == "PROCESSING"
    service.seller.settle(payment_id)
    await service.pass_time(24 * 3600)
    await service.worker.reconcile()
    assert await balance(ada) == (10, 0, 10)


async def test_a_mismatch_is_quarantined_once_however_often_it_is_seen(service: Service) -> None:
    service.expected_alerts = ["payment_quarantined"]
    ada = await service.customer(credits=0)
    service.seller.pay((await order(ada, 10))["session_id"], cart=(CartLine("pdt_one_credit", 1),))
    for _ in range(3):
        await service.worker.reconcile()
        await service.pass_time(3600)
    assert await balance(ada) == (0, 0, 0)
    assert await service.count("payment_events") == 1


async def test_a_provider_that_is_away_is_asked_again(service: Service) -> None:
    ada = await service.customer(credits=0)
    service.seller.pay((await order(ada, 10))["session_id"])
    service.seller.is_away = True
    await service.worker.reconcile()
    assert await balance(ada) == (0, 0, 0)
    service.seller.is_away = False
    await service.pass_time(1)
    await service.worker.reconcile()
    assert await balance(ada) == (10, 0, 10)


async def refund(service: Service, bought: int, amount: int | None = None) -> RefundStatus:
    async with service.container() as scope:
        handle = await scope.get(RefundPurchaseHandler)
        return (await handle(RefundPurchase("sorry", amount), ROOT, transaction_id=bought)).status


async def test_an_operators_refund_takes_the_credits_when_the_money_has_gone_back(service: Service) -> None:
    """Asking is not having: until the provider says so, the credits stay."""
    ada = await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 10)
    assert await refund(service, bought, 300) is RefundStatus.PENDING
    assert await balance(ada) == (10, 0, 10)
    service.seller.complete_refunds(payment_id)
    await service.worker.reconcile()
    assert await balance(ada) == (7, 0, 7)
    assert await service.database.fetchval("SELECT (operator, action, reason)::text FROM audit_entries") == (
        "(root,payment.refund,sorry)"
    )


async def test_a_refund_that_nobody_noted_is_found_before_another_is_asked_for(service: Service) -> None:
    """Whoever asked died before noting it: the operator is told to look, and no money goes twice."""
    ada = await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 10)
    asked = asyncio.Event()

    async def die() -> None:
        asked.set()
        await asyncio.Event().wait()

    service.seller.before_answering = die
    dying = asyncio.create_task(refund(service, bought, 300))
    await asked.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    service.seller.before_answering = None
    with pytest.raises(Conflict):
        await refund(service, bought, 300)
    await service.pass_time(120)
    with pytest.raises(Conflict, match="look again"):
        await refund(service, bought, 300)
    assert len(service.seller.refunds_asked) == 1
    service.seller.complete_refunds(payment_id)
    await refund(service, bought, 300)
    assert len(service.seller.refunds_asked) == 2


async def test_a_refund_that_is_refused_can_be_asked_for_again(service: Service) -> None:
    ada = await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 10)
    service.seller.is_away = True
    with pytest.raises(Unavailable):
        await refund(service, bought)
    service.seller.is_away = False
    assert await refund(service, bought) is RefundStatus.PENDING
    service.seller.complete_refunds(payment_id)
    with pytest.raises(Conflict, match="ALREADY_REFUNDED"):
        await refund(service, bought)
    assert await balance(ada) == (10, 0, 10)


async def test_a_refund_whose_answer_was_lost_keeps_others_out_until_it_would_be_seen(service: Service) -> None:
    """It may be on its way, where nobody sees it yet: asking again at once would send the money twice."""
    ada = await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 10)
    unseen = service.seller.payments[payment_id]

    async def lose_the_answer() -> None:
        service.seller.payments[payment_id] = replace(unseen, refunds=[])
        raise Unavailable("payment_provider_unavailable", "The payment provider cannot be reached right now.")

    service.seller.before_answering = lose_the_answer
    with pytest.raises(Unavailable):
        await refund(service, bought, 300)
    service.seller.before_answering = None
    with pytest.raises(Conflict, match="is being asked for"):
        await refund(service, bought, 300)
    service.seller.payments[payment_id] = unseen
    await service.pass_time(120)
    with pytest.raises(Conflict, match="look again"):
        await refund(service, bought, 300)
    assert len(service.seller.refunds_asked) == 1
