"""Ordering credits: whatever the customer, the provider or a crash makes of it, an order alone grants nothing."""

import asyncio
import json
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.faults.provider import signal_at
from tests.faults.rig import Rig
from tests.faults.shop import Shop

AMOUNTS: list[Any] = [0, -1, 1001, 2**63, 10**30, 1.5, "5", "", None, True, [5], {"credits": 5}]


async def test_an_amount_out_of_range_or_of_another_type_opens_nothing(
    rig: Rig, shop: Shop, database: asyncpg.Connection
) -> None:
    """400, whatever stands there; nothing is ordered, and the provider is not asked."""
    rig.provider.expect(creates=0)
    before = await database.fetchval("SELECT count(*) FROM transactions")
    bodies = [json.dumps({"credits_amount": amount}) for amount in AMOUNTS]
    bodies += ['{"credits_amount": NaN}', '{"credits_amount": 1e400}', '{"credits_amount": 5, "price": 1}', "{}", "5"]
    for body in bodies:
        headers = {"Content-Type": "application/json"}
        answer = await shop.customer.http.post("/payment/create-checkout", content=body, headers=headers)
        assert answer.status_code == 400, f"{body}: {answer.text}"
    assert await rig.dodo.counts() == {}
    assert await database.fetchval("SELECT count(*) FROM transactions") == before


FAULTS: list[dict[str, Any]] = [
    {"reply": {"status": 429, "headers": {"Retry-After": "1"}}},
    {"reply": {"status": 500}},
    {"reply": {"status": 503}},
    {"reply": {"text": "<html>"}},
    {"reply": {"json": {"session_id": None, "checkout_url": None}}},
    {"reset": True},
    {"reset": True, "processed": True},
    {"truncate": 20},
]
SILENCE: dict[str, Any] = {"hang": 60}


@pytest.mark.parametrize("faults", [FAULTS, pytest.param([SILENCE], marks=pytest.mark.exhaustive)], ids=["all", "hang"])
async def test_a_provider_that_fails_at_the_checkout_grants_nothing_and_is_not_asked_again(
    rig: Rig, shop: Shop, faults: list[dict[str, Any]]
) -> None:
    """503 and when to come back; the customer's own repetition, under the same key, then opens the same order."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(0):
        for fault in faults:
            key = str(uuid4())
            await rig.dodo.reset()
            await rig.dodo.script({"on": "create_checkout", **fault})
            refused = await shop.ask(10, key)
            assert (refused.status_code, refused.json()["code"]) == (503, "payment_provider_unavailable"), fault
            assert int(refused.headers["Retry-After"]) >= 1
            assert await rig.dodo.count("create_checkout") == 1
            (left, *_) = (await shop.customer.http.get("/payment/transactions")).json()["items"]
            assert (left["status"], left["session_id"]) == ("FAILED", None)
            order = await shop.order(10, key)
            assert order.transaction_id == left["id"]
            assert (await shop.purchase(order.transaction_id)).status == "PENDING"


@pytest.mark.exhaustive
async def test_one_key_sent_twenty_times_at_once_opens_one_checkout(rig: Rig, shop: Shop) -> None:
    """Each is answered with that checkout, or told that it is being opened."""
    rig.provider.expect(creates=0)
    await rig.dodo.script({"on": "create_checkout", "delay": 0.5})
    key = str(uuid4())
    answers = await asyncio.gather(*(shop.ask(10, key) for _ in range(20)))
    assert set(Counter(answer.status_code for answer in answers)) <= {201, 409}
    assert len({answer.json()["session_id"] for answer in answers if answer.status_code == 201}) == 1
    assert await rig.dodo.count("create_checkout") == 1


async def test_an_api_killed_while_the_checkout_is_opened_leaves_an_order_that_the_same_key_opens(
    rig: Rig, shop: Shop, database: asyncpg.Connection
) -> None:
    """The checkout that nobody was told of grants nothing, even if somebody paid there: operators hear of it."""
    rig.provider.expect(creates=0)
    rig.expect_alerts("payment_quarantined")
    key = str(uuid4())
    await rig.dodo.script(signal_at("create_checkout", rig.api.pid, processed=True, hang=1))
    async with shop.customer.charged(-10):
        with pytest.raises(httpx.TransportError):
            await shop.ask(10, key)
        rig.api.wait_for_end()
        rig.api.start()
        rig.wait_for_api()
        assert (await shop.ask(10, key)).json()["code"] == "idempotency_in_progress"
        await database.execute("UPDATE transactions SET opening_until = now() WHERE opening_until IS NOT NULL")
        order = await shop.order(10, key)
        lost, found = await rig.dodo.checkouts_of(order.transaction_id)
        assert found == order.session_id
        await rig.dodo.told(await rig.dodo.pay(lost))
        assert (await shop.purchase(order.transaction_id)).status == "PENDING"
        await rig.dodo.told(await rig.dodo.pay(found))
        assert (await shop.purchase(order.transaction_id)).status == "SUCCEEDED"


async def test_coming_back_from_the_checkout_changes_nothing(rig: Rig, shop: Shop) -> None:
    """Whatever the browser says of the payment, and though it was made: the provider's word alone counts."""
    rig.provider.expect(creates=0)
    await rig.dodo.settings(webhooks="never")
    async with shop.customer.charged(0):
        order = await shop.order(10)
        async with httpx.AsyncClient(trust_env=False) as browser:
            paid = await browser.post(order.checkout_url, data={"card": "4242 4242 4242 4242"})
            assert paid.status_code == 303, paid.text
            back = paid.headers["location"]
            assert parse_qs(urlsplit(back).query)["status"] == ["succeeded"]
            for _ in range(2):
                await browser.get(back)
                await browser.post(back)
        assert (await shop.purchase(order.transaction_id)).status == "PENDING"
