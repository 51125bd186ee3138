"""Dodo as a process of its own, told by its environment whom it plays for."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from sandbox.config import config_from_environment, make_webhook_secret
from tests.unit.sandbox.dodo import CONTROL, PRODUCT, checkout, deliveries, paid
from tests.unit.sandbox.talking import Receiver, address_of, script, start, stop

KEY = secrets.token_urlsafe()
SECRET = make_webhook_secret()


@pytest.fixture
async def real(receiver: Receiver) -> AsyncIterator[httpx.AsyncClient]:
    started = start(
        SANDBOX_DODO_API_KEY=KEY,
        SANDBOX_DODO_PRODUCT_ID=PRODUCT,
        SANDBOX_DODO_PRICE_MINOR="250",
        SANDBOX_DODO_CURRENCY="EUR",
        SANDBOX_DODO_TAX_PERCENT="10",
        SANDBOX_DODO_WEBHOOK_URL=receiver.url,
        SANDBOX_DODO_WEBHOOK_SECRET=SECRET,
        SANDBOX_DODO_WEBHOOK_SPEEDUP="10000",
    )
    try:
        address = await asyncio.to_thread(address_of, started)
        async with httpx.AsyncClient(base_url=address, headers={"Authorization": f"Bearer {KEY}"}) as client:
            yield client
    finally:
        assert stop(started) == 0


async def test_a_customer_pays_in_the_browser_and_the_product_is_told(
    real: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.answers = [503]
    session = (await real.post("/dodo/checkouts", json=checkout())).json()
    assert session["checkout_url"].startswith(str(real.base_url))
    answer = await real.post(session["checkout_url"], data={"card": "4242 4242 4242 4242"})
    assert answer.status_code == 303
    headers, body = (await receiver.has(2))[1]
    Webhook(SECRET).verify(body, headers)
    payment = json.loads(body)["data"]
    assert (payment["total_amount"], payment["tax"], payment["currency"]) == (1375, 125, "EUR")
    assert payment["payment_id"] in answer.headers["location"]
    (delivery,) = await deliveries(real, "delivered")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [503, 204]


async def test_a_refund_may_be_made_although_its_answer_never_came(real: httpx.AsyncClient) -> None:
    payment = await paid(real)
    await script(real, {"on": "create_refund", "processed": True, "reset": True}, service="dodo")
    with pytest.raises(httpx.ReadError):
        await real.post("/dodo/refunds", json={"payment_id": payment["payment_id"]})
    assert len((await real.get("/dodo/refunds")).json()["items"]) == 1
    (call,) = (await real.get(CONTROL, params={"operation": "create_refund"})).json()["calls"]
    assert (call["fault"], call["headers"]["authorization"]) == ("reset", "[hidden]")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SANDBOX_DODO_PRICE_MINOR", "free"),
        ("SANDBOX_DODO_PRICE_MINOR", "0"),
        ("SANDBOX_DODO_PRICE_MINOR", "1.5"),
        ("SANDBOX_DODO_CURRENCY", "euro"),
        ("SANDBOX_DODO_TAX_PERCENT", "101"),
        ("SANDBOX_DODO_TAX_PERCENT", "nan"),
        ("SANDBOX_DODO_WEBHOOK_SPEEDUP", "0"),
        ("SANDBOX_DODO_WEBHOOK_SECRET", "whsec_AAAA"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(variable: str, value: str) -> None:
    field = variable.removeprefix("SANDBOX_").lower()
    with pytest.raises(ValueError, match=f"(?i){variable}|{field}|webhook secret"):
        config_from_environment({variable: value}, public_url="http://sandbox.test", data_dir=Path())
