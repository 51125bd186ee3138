"""Events that never come: the worker asks the provider by the clock, whoever dies while it does."""

from collections import Counter

import asyncpg
import pytest

from tests.faults.database import eventually
from tests.faults.provider import signal_at
from tests.faults.rig import Rig
from tests.faults.shop import Shop

OFTEN = "0.3"


async def test_when_every_event_is_lost_the_reconciler_finds_out_and_late_events_change_nothing(
    rig: Rig, shop: Shop, database: asyncpg.Connection
) -> None:
    """Payments, refunds and disputes, whatever came of them; the receipt is sent as ever."""
    rig.provider.expect(creates=0)
    rig.expect_alerts("payment_disputed")
    await rig.dodo.settings(webhooks="never")
    async with shop.customer.charged(-17):
        await rig.mail_service.reset()
        orders = {status: await shop.order(10) for status in ("succeeded", "failed", "processing")}
        paid = {status: await rig.dodo.pay(order.session_id, status) for status, order in orders.items()}
        disputed = await shop.order(10)
        rig.add_worker(RECONCILE_SECONDS=OFTEN)
        for status, order in orders.items():
            await shop.becomes(order.transaction_id, status.upper())
        await rig.dodo.return_money(paid["succeeded"], 300)
        await shop.becomes(orders["succeeded"].transaction_id, "PARTIALLY_REFUNDED")
        in_dispute = await rig.dodo.pay(disputed.session_id)
        dispute_id = await rig.dodo.dispute(in_dispute)
        await shop.becomes(disputed.transaction_id, "DISPUTED")
        assert (await shop.credits()).credits_frozen == 10
        await rig.dodo.change_dispute(dispute_id, "won")
        await shop.becomes(disputed.transaction_id, "SUCCEEDED")
        assert (await shop.credits()).credits_frozen == 0
        for payment_id in (*paid.values(), in_dispute):
            for event in await rig.dodo.events(payment_id):
                assert (await rig.dodo.resend(event.id, copies=2)).statuses == [200, 200]
        assert (await shop.purchase(orders["succeeded"].transaction_id)).status == "PARTIALLY_REFUNDED"
        nothing_waits = "SELECT NOT EXISTS (SELECT FROM outbox)"
        await eventually(lambda: database.fetchval(nothing_waits))
        assert await _mailed(rig) == {"Your purchase": 2, "Your refund": 1}


@pytest.mark.exhaustive
async def test_a_provider_that_is_down_when_it_is_asked_is_asked_again(rig: Rig, shop: Shop) -> None:
    """Nothing is lost by it, and the worker goes on with what it has to do."""
    rig.provider.expect(creates=1)
    await rig.dodo.settings(webhooks="never")
    async with shop.customer.charged(-9):
        rig.add_worker(RECONCILE_SECONDS=OFTEN)
        faults: list[dict[str, object]] = [{"reply": {"status": 500}}, {"reset": True}, {"reply": {"text": "<html>"}}]
        for operation in ("get_checkout", "get_payment"):
            await rig.dodo.script(*({"on": operation, **fault} for fault in faults))
        order = await shop.order(10)
        await rig.dodo.pay(order.session_id)
        assert (await shop.customer.outcome(await shop.customer.generate())).status == "COMPLETED"
        await shop.becomes(order.transaction_id, "SUCCEEDED")


@pytest.mark.exhaustive
@pytest.mark.parametrize("operation", ["get_checkout", "get_payment"])
async def test_a_worker_killed_while_it_asks_has_changed_nothing_and_the_next_grants(
    rig: Rig, shop: Shop, operation: str
) -> None:
    rig.provider.expect(creates=0)
    await rig.dodo.settings(webhooks="never")
    async with shop.customer.charged(-10):
        worker = rig.add_worker(RECONCILE_SECONDS=OFTEN)
        worker.freeze()
        order = await shop.order(10)
        await rig.dodo.pay(order.session_id)
        await rig.dodo.script(signal_at(operation, worker.pid))
        worker.thaw()
        worker.wait_for_end()
        assert (await shop.purchase(order.transaction_id)).status == "PENDING"
        worker.start()
        await shop.becomes(order.transaction_id, "SUCCEEDED")


@pytest.mark.exhaustive
async def test_a_worker_killed_while_it_enters_an_answer_has_entered_nothing(
    rig: Rig, shop: Shop, database: asyncpg.Connection
) -> None:
    """It waits for the order's row when it dies, with the payment's in its hands; the webhook need not wait for it."""
    rig.provider.expect(creates=0)
    await rig.dodo.settings(webhooks="held")
    async with shop.customer.charged(-10):
        worker = rig.add_worker(RECONCILE_SECONDS=OFTEN)
        await rig.dodo.script({"on": "get_payment", "delay": 1})
        order = await shop.order(10)
        payment_id = await rig.dodo.pay(order.session_id)
        await eventually(lambda: rig.dodo.count("get_payment"))
        async with database.transaction():
            await database.execute("SELECT FROM transactions WHERE id = $1 FOR UPDATE", order.transaction_id)
            await eventually(lambda: database.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
            worker.kill()
        assert (await shop.purchase(order.transaction_id)).status == "PENDING"
        assert (await rig.dodo.resend((await rig.dodo.event(payment_id)).id)).statuses == [200]
        assert (await shop.purchase(order.transaction_id)).status == "SUCCEEDED"
        worker.start()
        await eventually(lambda: _is_asked_again(rig))


async def _is_asked_again(rig: Rig) -> bool:
    return await rig.dodo.count("get_payment") > 1


async def _mailed(rig: Rig) -> Counter[str]:
    """How often each kind of mail has been sent."""
    return Counter(str(call.body["subject"]).partition(" - ")[0] for call in await rig.mail_service.calls("send"))
