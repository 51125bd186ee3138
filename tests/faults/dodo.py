"""Dodo Payments as the sandbox plays it: what customers, banks and its dashboard do there, and how its events leave."""

from typing import Any

from msgspec import Struct, convert

from tests.faults.database import eventually
from tests.faults.provider import Service


class Attempt(Struct, frozen=True):
    status: int | None
    fault: str | None


class Delivery(Struct, frozen=True):
    """An event: `sending`, `held`, `dropped`, `delivered` or `failed`."""

    id: str
    type: str
    about: str
    payment_id: str
    state: str
    attempts: list[Attempt]

    @property
    def statuses(self) -> list[int | None]:
        """What the API has answered so far; None where it could not be reached."""
        return [attempt.status for attempt in self.attempts]


class Dodo(Service):
    """`sandbox.dodo.control` documents what can be done there."""

    def __init__(self, root: str) -> None:
        super().__init__(root, "dodo")

    async def pay(self, session_id: str, status: str = "succeeded") -> str:
        """Have the customer pay at a checkout; returns the payment's id."""
        payment = await self._ask("POST", f"/sessions/{session_id}/pay", json={"status": status})
        return str(payment["payment_id"])

    async def change_payment(self, payment_id: str, status: str) -> None:
        await self._ask("PUT", f"/payments/{payment_id}", json={"status": status})

    async def return_money(self, payment_id: str, amount: int | None = None, status: str = "succeeded") -> str:
        """Refund at the dashboard: what is left, or an amount; returns the refund's id."""
        wanted = {"amount": amount, "status": status}
        return str((await self._ask("POST", f"/payments/{payment_id}/refunds", json=wanted))["refund_id"])

    async def change_refund(self, refund_id: str, status: str) -> None:
        await self._ask("PUT", f"/refunds/{refund_id}", json={"status": status})

    async def dispute(self, payment_id: str) -> str:
        """Have the payer's bank ask for the money back; returns the dispute's id."""
        return str((await self._ask("POST", f"/payments/{payment_id}/disputes"))["dispute_id"])

    async def change_dispute(self, dispute_id: str, status: str) -> None:
        await self._ask("PUT", f"/disputes/{dispute_id}", json={"status": status})

    async def settings(self, **changes: Any) -> None:
        """Change some of the account, until the next reset."""
        await self._ask("PATCH", "/settings", json=changes)

    async def checkouts_of(self, transaction_id: int) -> list[str]:
        """The ids of the checkouts that were opened for a purchase of ours since the last reset, oldest first."""
        orders = [call.body["metadata"]["transaction_id"] for call in await self.calls("create_checkout")]
        sessions: list[dict[str, Any]] = (await self._ask("GET", "/sessions"))["sessions"]
        latest = [session["id"] for session in sessions[-len(orders) :]]
        return [opened for opened, order in zip(latest, orders, strict=True) if order == str(transaction_id)]

    async def payments(self) -> list[dict[str, Any]]:
        """All there are, as the API shows them, oldest first."""
        payments: list[dict[str, Any]] = (await self._ask("GET", "/payments"))["payments"]
        return payments

    async def payment(self, payment_id: str) -> dict[str, Any]:
        return next(payment for payment in await self.payments() if payment["payment_id"] == payment_id)

    async def money_returned(self, payment_id: str) -> int:
        """Minor units that went back to the payer by refunds."""
        refunds = (await self.payment(payment_id))["refunds"]
        return sum(refund["amount"] for refund in refunds if refund["status"] == "succeeded")

    async def events(self, payment_id: str) -> list[Delivery]:
        """All events of one payment, its refunds and its disputes, oldest first."""
        deliveries = convert((await self._ask("GET", "/webhooks"))["deliveries"], list[Delivery])
        return [delivery for delivery in deliveries if delivery.payment_id == payment_id]

    async def event(self, payment_id: str, kind: str = "payment.succeeded") -> Delivery:
        """The latest event of this kind."""
        return [event for event in await self.events(payment_id) if event.type == kind][-1]

    async def resend(self, webhook_id: str, *, new_id: bool = False, copies: int = 1) -> Delivery:
        """Send an event once more, so many times at once, and wait for the answers."""
        order = {"new_id": new_id, "copies": copies}
        return convert(await self._ask("POST", f"/webhooks/{webhook_id}/resend", json=order), Delivery)

    async def release(self, *webhook_ids: str) -> None:
        """Let these held events go, or all, one after another."""
        await self._ask("POST", "/webhooks/release", json={"ids": webhook_ids or None})

    async def send(self, kind: str = "payment.succeeded", **parcel: Any) -> list[int | None]:
        """Send anything, signed as told; returns what each copy was answered."""
        sent = await self._ask("POST", "/webhooks/send", json={"type": kind, **parcel})
        return [attempt["status"] for attempt in sent["attempts"]]

    async def told(self, payment_id: str) -> None:
        """Wait until the API has taken every event of a payment that was neither held nor dropped."""

        async def all_taken() -> bool:
            return all(event.state in {"delivered", "held", "dropped"} for event in await self.events(payment_id))

        await eventually(all_taken)
