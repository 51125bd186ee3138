"""How the tests of the sandbox's Dodo talk to it: as the product, as a customer, and as who receives its webhooks."""

import asyncio
from typing import Any

import httpx

from tests.unit.sandbox.talking import Receiver

CONTROL = "/dodo/__control"
PRODUCT = "pdt_credit"


def cart(quantity: int = 5, product_id: str = PRODUCT) -> list[dict[str, Any]]:
    return [{"product_id": product_id, "quantity": quantity}]


def checkout(**changes: Any) -> dict[str, Any]:
    return {
        "product_cart": cart(),
        "customer": {"email": "ada@example.com", "name": "Ada"},
        "billing_currency": "USD",
        "return_url": "https://app.example.com/return?order=7",
        "cancel_url": "https://app.example.com/cancel",
        "metadata": {"order_id": "7"},
        **changes,
    }


async def opened(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/dodo/checkouts", json=checkout(**changes))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def paid(client: httpx.AsyncClient, *, status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    """A session opened and used: the payment."""
    session = await opened(client, **changes)
    return await controlled(client, "POST", f"sessions/{session['session_id']}/pay", status=status)


async def controlled(client: httpx.AsyncClient, method: str, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.request(method, f"{CONTROL}/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def read(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(f"/dodo/{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def aimed_at(client: httpx.AsyncClient, receiver: Receiver, **settings: Any) -> None:
    await controlled(client, "PATCH", "settings", webhook_url=receiver.url, **settings)


async def deliveries(client: httpx.AsyncClient, state: str | None = None) -> list[dict[str, Any]]:
    """The events, once they are all in this state."""
    while True:
        found = (await client.get(f"{CONTROL}/webhooks")).json()["deliveries"]
        if state is None or all(each["state"] == state for each in found):
            return list(found)
        await asyncio.sleep(0.01)
