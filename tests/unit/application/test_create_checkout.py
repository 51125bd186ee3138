"""Ordering credits: what is kept, what is opened, and what is left when it goes wrong."""

from datetime import timedelta

import pytest
from msgspec.structs import astuple

from application.actor import Actor
from application.payments.create_checkout import MOST_UNPAID, CreateCheckout
from domain.errors import Conflict, NotFound, Throttled, Unauthenticated, Unavailable, Unprocessable
from domain.transactions import CALL_LIFE
from tests.unit.application.reception import VISITOR, WORKER
from tests.unit.application.till import Till


async def test_an_order_names_customer_product_and_quantity_and_grants_nothing() -> None:
    """Its own ids go along, by which the payment will be recognised."""
    till = await Till.opened()
    opened = await till.order(25)
    (order,) = till.seller.orders.values()
    assert astuple(order) == (
        opened.transaction_id,
        till.ada.id,
        till.ada.email,
        till.ada.name,
        "pdt_1",
        25,
        "USD",
    )
    bought = till.purchase(opened.transaction_id)
    assert (bought.status, bought.amount, bought.currency) == ("PENDING", 2500, "USD")
    assert bought.ask_at == till.uow.time, "the provider is asked about it from now on"
    assert await till.balance() == (0, 0, 0)


async def test_the_same_key_opens_one_checkout_and_another_request_with_it_is_refused() -> None:
    till = await Till.opened()
    assert await till.order(5, key="once") == await till.order(5, key="once")
    assert len(till.seller.orders) == 1
    with pytest.raises(Unprocessable) as refusal:
        await till.order(6, key="once")
    assert refusal.value.code == "idempotency_key_reused"


async def test_without_a_key_each_request_is_an_order() -> None:
    till = await Till.opened()
    assert await till.order(5) != await till.order(5)
    assert len(till.seller.orders) == 2


async def test_a_customer_has_twenty_unpaid_orders_a_day_and_no_more() -> None:
    """The provider is asked about each; paying one makes room, and so does a day. Others are not held up."""
    till = await Till.opened()
    orders = [await till.order(1) for _ in range(MOST_UNPAID)]
    with pytest.raises(Throttled) as refusal:
        await till.order(1)
    assert (refusal.value.code, len(till.seller.orders)) == ("rate_limited", MOST_UNPAID)
    till.seller.pay(orders[0].session_id)
    await till.reconcile(orders[0].transaction_id)
    await till.order(1)
    with pytest.raises(Throttled):
        await till.order(1)
    till.uow.time += timedelta(days=1, seconds=1)
    await till.order(1)


async def test_a_provider_that_is_away_leaves_an_order_that_nobody_can_pay_and_the_key_opens_it_again() -> None:
    till = await Till.opened()
    till.seller.is_away = True
    with pytest.raises(Unavailable) as refusal:
        await till.order(5, key="once")
    assert (refusal.value.code, refusal.value.retry_after) == ("payment_provider_unavailable", 5)
    left = till.purchase(1)
    assert (left.status, left.session_id) == ("FAILED", None)
    till.seller.is_away = False
    opened = await till.order(5, key="once")
    assert (opened.transaction_id, till.purchase(1).status) == (1, "PENDING")


async def test_while_it_is_opened_nobody_opens_it_and_whoever_died_over_it_is_followed() -> None:
    """The order is there before the provider is asked, so that the key finds it."""
    till = await Till.opened()
    met: list[Exception] = []

    async def come_again() -> None:
        till.seller.before_answering = None
        try:
            await till.order(5, key="once")
        except Conflict as refusal:
            met.append(refusal)
        raise ConnectionError("the process dies here")

    till.seller.before_answering = come_again
    with pytest.raises(ConnectionError):
        await till.order(5, key="once")
    assert [refusal.code for refusal in met if isinstance(refusal, Conflict)] == ["idempotency_in_progress"]
    till.uow.pass_time(seconds=CALL_LIFE.total_seconds())
    assert (await till.order(5, key="once")).transaction_id == 1


async def test_whoever_has_gone_meanwhile_orders_nothing() -> None:
    till = await Till.opened()
    till.ada.erase(till.uow.time)
    with pytest.raises(NotFound):
        await till.order(5)
    assert till.seller.orders == {}
    assert till.transactions.table.kept == {}


@pytest.mark.parametrize("actor", [VISITOR, WORKER, Actor.operator("root")], ids=["visitor", "worker", "operator"])
async def test_only_customers_order(actor: Actor) -> None:
    till = await Till.opened()
    with pytest.raises(Unauthenticated):
        await till.request(till.counter.checkout(CreateCheckout(5), actor))
    assert till.seller.orders == {}
