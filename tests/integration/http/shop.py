"""Customers who buy credits, and the payment provider's events as they reach the API."""

from itertools import count
from typing import Any

import httpx

from domain.transactions import PaymentStatus
from tests.integration.http.stories import Customer, Service
from tests.selling import payment_event, signed

_numbers = count(1)


async def order(customer: Customer, quantity: int = 10, *, key: str | None = None) -> Any:
    """Open a checkout; returns the answer's body."""
    headers = {"Idempotency-Key": key} if key else {}
    response = await customer.api.post("/payment/create-checkout", json={"credits_amount": quantity}, headers=headers)
    assert response.status_code == 201, response.text
    return response.json()


async def deliver(
    service: Service, event: dict[str, Any] | bytes, *, message_id: str | None = None, secret: str | None = None
) -> httpx.Response:
    """Send an event as the provider does: signed, under an id of its own unless one is given."""
    secrets = service.settings.dodo_payments_webhook_secret.split()
    body, headers = signed(secret or secrets[0], message_id or f"evt_{next(_numbers)}", event)
    return await service.browser().post("/payment/webhook", content=body, headers=headers)


async def told(service: Service, event: dict[str, Any]) -> None:
    """An event that is taken."""
    response = await deliver(service, event)
    assert response.status_code == 200, response.text


async def buy(service: Service, customer: Customer, quantity: int = 10) -> tuple[int, str]:
    """Order, pay, and have the provider tell; returns the ids of purchase and payment."""
    opened = await order(customer, quantity)
    payment_id = service.seller.pay(opened["session_id"])
    await told(service, payment_event(service.seller.payments[payment_id].payment))
    return opened["transaction_id"], payment_id


async def attempt(service: Service, customer: Customer, status: PaymentStatus, quantity: int = 10) -> tuple[int, str]:
    """Order, and try to pay with another outcome, of which nobody tells; returns the ids of purchase and payment."""
    opened = await order(customer, quantity)
    return opened["transaction_id"], service.seller.pay(opened["session_id"], status=status)


async def purchase(customer: Customer, transaction_id: int) -> Any:
    return await customer.get(f"/payment/transactions/{transaction_id}")


async def balance(customer: Customer) -> tuple[int, int, int]:
    """All credits, the frozen ones, and what can be spent."""
    told_so = await customer.get("/user/credits")
    return told_so["credits"], told_so["credits_frozen"], told_so["credits_available"]
