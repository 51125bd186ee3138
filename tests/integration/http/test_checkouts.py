"""Ordering credits: what is opened, how often, and what is left of it when something dies in between."""

import asyncio
from typing import Any

import pytest

from tests.integration.http.conftest import Start
from tests.integration.http.shop import balance, buy, order, purchase
from tests.integration.http.stories import Service


async def test_an_order_opens_a_checkout_and_grants_nothing(service: Service) -> None:
    """One line of our product, in our currency, for the customer's address, with our own ids along; no credits yet."""
    ada = await service.customer(credits=0)
    opened = await order(ada, 25)
    (placed,) = service.seller.orders.values()
    assert (placed.product_id, placed.quantity, placed.currency) == ("pdt_one_credit", 25, "USD")
    assert (placed.transaction_id, placed.user_id, placed.email) == (opened["transaction_id"], ada.id, ada.email)
    assert opened["checkout_url"] == f"https://checkout.test/session/{opened['session_id']}"
    assert await balance(ada) == (0, 0, 0)
    assert await purchase(ada, opened["transaction_id"]) == {
        "id": opened["transaction_id"],
        "session_id": opened["session_id"],
        "payment_id": None,
        "amount": 2500,
        "currency": "USD",
        "credits_purchased": 25,
        "status": "PENDING",
        "payment_method": None,
        "created_at": (await purchase(ada, opened["transaction_id"]))["created_at"],
    }


@pytest.mark.parametrize("amount", [0, -1, 1001, 2.5, "5", None, True, [5], 10**30])
async def test_an_amount_out_of_range_or_of_another_type_opens_nothing(service: Service, amount: Any) -> None:
    ada = await service.customer()
    response = await ada.api.post("/payment/create-checkout", json={"credits_amount": amount})
    assert (response.status_code, response.json()["code"]) in {(400, "validation_failed"), (400, "malformed_json")}
    assert service.seller.orders == {}
    assert await service.count("transactions") == 0


async def test_fields_that_nobody_offers_are_refused(service: Service) -> None:
    """No price, no product, no discount comes from a customer."""
    ada = await service.customer()
    for extra in ({"price": 1}, {"product_id": "pdt_other"}, {"discount_code": "FREE"}):
        response = await ada.api.post("/payment/create-checkout", json={"credits_amount": 1, **extra})
        assert response.status_code == 400, response.text
    assert service.seller.orders == {}


async def test_the_same_key_is_the_same_checkout(service: Service) -> None:
    """However often it is sent; with another amount it is refused."""
    ada = await service.customer()
    opened = [await order(ada, 5, key="once") for _ in range(3)]
    assert opened[0] == opened[1] == opened[2]
    assert len(service.seller.orders) == 1
    other = await ada.api.post(
        "/payment/create-checkout", json={"credits_amount": 6}, headers={"Idempotency-Key": "once"}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_parallel_requests_with_one_key_open_one_checkout(service: Service) -> None:
    """Who comes while it is being opened is told so, and nobody opens a second."""
    ada = await service.customer()
    opening, go_on = asyncio.Event(), asyncio.Event()

    async def answer_slowly() -> None:
        opening.set()
        await go_on.wait()

    service.seller.before_answering = answer_slowly
    first = asyncio.create_task(order(ada, 5, key="once"))
    await opening.wait()
    second = await ada.api.post(
        "/payment/create-checkout", json={"credits_amount": 5}, headers={"Idempotency-Key": "once"}
    )
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_in_progress")
    go_on.set()
    assert (await first)["session_id"] in service.seller.orders
    assert len(service.seller.orders) == 1


async def test_of_forty_orders_at_once_a_customer_gets_twenty(service: Service) -> None:
    """However they arrive. Another customer gets one all the same."""
    ada, bob = await service.customer(), await service.customer()
    new = {"credits_amount": 1}
    answers = await asyncio.gather(*(ada.api.post("/payment/create-checkout", json=new) for _ in range(40)))
    refused = [answer for answer in answers if not answer.is_success]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(429, "rate_limited")}
    assert len(refused) == 20
    assert all(int(answer.headers["Retry-After"]) > 3600 for answer in refused)
    assert len(service.seller.orders) == await service.count("transactions") == 20
    await order(bob, 1)


async def test_a_provider_that_is_away_leaves_no_checkout_and_the_key_can_be_used_again(service: Service) -> None:
    """503 with when to come back; the same key then opens the same order's checkout."""
    ada = await service.customer()
    service.seller.is_away = True
    refused = await ada.api.post(
        "/payment/create-checkout", json={"credits_amount": 5}, headers={"Idempotency-Key": "once"}
    )
    assert (refused.status_code, refused.json()["code"]) == (503, "payment_provider_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    (left,) = (await ada.get("/payment/transactions"))["items"]
    assert (left["status"], left["session_id"]) == ("FAILED", None)
    service.seller.is_away = False
    opened = await order(ada, 5, key="once")
    assert opened["transaction_id"] == left["id"]
    assert (await purchase(ada, left["id"]))["status"] == "PENDING"


async def test_who_dies_while_opening_leaves_an_order_that_the_same_key_opens(service: Service) -> None:
    """The order is there before the provider is asked; once it is clear that nobody works on it, it is taken over."""
    ada = await service.customer()
    dying = asyncio.Event()

    async def die() -> None:
        dying.set()
        await asyncio.Event().wait()

    service.seller.before_answering = die
    request = asyncio.create_task(order(ada, 5, key="once"))
    await dying.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    service.seller.before_answering = None
    await service.pass_time(120)
    opened = await order(ada, 5, key="once")
    assert await service.count("transactions") == 1
    assert opened["session_id"] == list(service.seller.orders)[-1]


async def test_without_an_account_at_the_provider_nothing_is_sold(start: Start) -> None:
    service = await start(DODO_PAYMENTS_API_KEY="", DODO_PAYMENTS_PRODUCT_ID="", DODO_PAYMENTS_WEBHOOK_SECRET="")
    service.seller.is_away = True
    ada = await service.customer()
    response = await ada.api.post("/payment/create-checkout", json={"credits_amount": 5})
    assert response.json()["code"] == "payment_provider_unavailable"


async def test_purchases_are_listed_newest_first_and_only_to_their_owner(service: Service) -> None:
    """A page at a time; another's purchase is as little there as one that never was."""
    ada, bob = await service.customer(), await service.customer(email="bob@example.com")
    bought = [(await buy(service, ada, amount))[0] for amount in (1, 2, 3)]
    first = await ada.get("/payment/transactions", limit=2)
    rest = await ada.get("/payment/transactions", limit=2, cursor=first["next_cursor"])
    assert [item["id"] for item in first["items"] + rest["items"]] == bought[::-1]
    assert rest["next_cursor"] is None
    assert (await bob.get("/payment/transactions"))["items"] == []
    foreign = await bob.api.get(f"/payment/transactions/{bought[0]}")
    for nothing in (999, 0, -1, 2**63, 10**30):
        nowhere = await bob.api.get(f"/payment/transactions/{nothing}")
        assert foreign.status_code == nowhere.status_code == 404
        assert foreign.json()["code"] == nowhere.json()["code"] == "transaction_not_found"
