"""A customer who buys credits: at our API, and at the payment provider's checkout."""

from typing import Any

import httpx
from msgspec import Struct, convert

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.dodo import Dodo

PRICE = 100
"""Of one credit, in minor units."""


class Order(Struct, frozen=True):
    checkout_url: str
    session_id: str
    transaction_id: int


class Purchase(Struct, frozen=True):
    id: int
    session_id: str | None
    payment_id: str | None
    amount: int
    status: str


class Credits(Struct, frozen=True):
    credits: int
    credits_frozen: int
    credits_available: int


class Shop:
    def __init__(self, customer: Customer, dodo: Dodo) -> None:
        self.customer = customer
        self.dodo = dodo

    async def ask(self, amount: Any, key: str | None = None) -> httpx.Response:
        """Ask for a checkout, and take whatever answer comes."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {"credits_amount": amount}
        return await self.customer.http.post("/payment/create-checkout", json=body, headers=headers)

    async def order(self, amount: int = 10, key: str | None = None) -> Order:
        """Open a checkout."""
        answer = await self.ask(amount, key)
        assert answer.status_code == 201, answer.text
        return convert(answer.json(), Order)

    async def buy(self, amount: int = 10) -> tuple[int, str]:
        """Order, pay, and be credited; returns the ids of purchase and payment."""
        order = await self.order(amount)
        payment_id = await self.dodo.pay(order.session_id)
        await self.dodo.told(payment_id)
        assert (await self.purchase(order.transaction_id)).status == "SUCCEEDED"
        return order.transaction_id, payment_id

    async def purchase(self, transaction_id: int) -> Purchase:
        answer = await self.customer.http.get(f"/payment/transactions/{transaction_id}")
        assert answer.status_code == 200, answer.text
        return convert(answer.json(), Purchase)

    async def becomes(self, transaction_id: int, status: str) -> None:
        """Wait until a purchase has this status."""

        async def is_so() -> bool:
            return (await self.purchase(transaction_id)).status == status

        await eventually(is_so)

    async def credits(self) -> Credits:
        answer = await self.customer.http.get("/user/credits")
        assert answer.status_code == 200, answer.text
        return convert(answer.json(), Credits)
