"""A payment provider in memory, and its events as they come over the wire, signed."""

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from msgspec.structs import replace

from application.payments.ports import (
    Checkout,
    CheckoutOrder,
    DisputeReport,
    PaymentProvider,
    PaymentState,
    RefundReport,
)
from domain.errors import Conflict, Unavailable
from domain.payments import DisputeState, RefundStatus
from domain.transactions import CartLine, PaymentReport, PaymentStatus

PRICE = 100
"""Of a credit, in minor units."""


class FakePaymentProvider(PaymentProvider):
    """Sells and refunds when told to. While `is_away` it answers nobody; `orders` are the checkouts that it opened.

    Its ids count from `first`, for those who share a database with others.
    """

    def __init__(self, *, first: int = 1) -> None:
        self.is_away = False
        self.orders: dict[str, CheckoutOrder] = {}
        self.payments: dict[str, PaymentState] = {}
        self.refunds_asked: list[tuple[str, int | None, str]] = []
        self.before_answering: Callable[[], Awaitable[None]] | None = None
        """What happens while an answer is on its way."""
        self._paid_with: dict[str, str] = {}
        self._numbers = count(first)

    async def open_checkout(self, order: CheckoutOrder) -> Checkout:
        self._answer()
        session_id = f"cks_{next(self._numbers)}"
        self.orders[session_id] = order
        if self.before_answering is not None:
            await self.before_answering()
        return Checkout(session_id, f"https://checkout.test/session/{session_id}")

    async def paid_with(self, session_id: str) -> str | None:
        self._answer()
        return self._paid_with.get(session_id)

    async def payment(self, payment_id: str) -> PaymentState | None:
        self._answer()
        return self.payments.get(payment_id)

    async def refund(self, payment_id: str, *, amount: int | None, reason: str) -> RefundReport:
        self._answer()
        self.refunds_asked.append((payment_id, amount, reason))
        state = self.payments[payment_id]
        left = state.payment.total - sum(refund.amount for refund in state.refunds)
        if state.payment.status is not PaymentStatus.SUCCEEDED:
            raise _refusal("PAYMENT_NOT_SUCCEEDED")
        if any(refund.status is RefundStatus.PENDING for refund in state.refunds):
            raise _refusal("EXISTING_REFUND_REQUEST_PROCESSING")
        if left <= 0 or (amount or 0) > left:
            raise _refusal("PAYMENT_ALREADY_REFUNDED")
        refund = RefundReport(
            refund_id=f"ref_{next(self._numbers)}",
            payment_id=payment_id,
            amount=amount or left,
            currency=state.payment.currency,
            status=RefundStatus.PENDING,
        )
        state.refunds.append(refund)
        if self.before_answering is not None:
            await self.before_answering()
        return refund

    def pay(self, session_id: str, /, *, status: PaymentStatus = PaymentStatus.SUCCEEDED, **changes: Any) -> str:
        """Have the customer pay at a checkout; returns the payment's id."""
        order = self.orders[session_id]
        report = PaymentReport(
            payment_id=f"pay_{next(self._numbers)}",
            session_id=session_id,
            status=status,
            total=order.quantity * PRICE,
            tax=0,
            currency=order.currency,
            cart=(CartLine(order.product_id, order.quantity),),
            method="card",
            ordered=order.transaction_id,
            buyer=order.user_id,
        )
        report = replace(report, **changes)
        self.payments[report.payment_id] = PaymentState(report, [], [])
        self._paid_with[session_id] = report.payment_id
        return report.payment_id

    def settle(self, payment_id: str, status: PaymentStatus = PaymentStatus.SUCCEEDED) -> None:
        """End a payment that was under way."""
        state = self.payments[payment_id]
        self.payments[payment_id] = replace(state, payment=replace(state.payment, status=status))

    def return_money(self, payment_id: str, amount: int | None = None) -> RefundReport:
        """Refund without being asked by us, as from the provider's dashboard."""
        state = self.payments[payment_id]
        refund = RefundReport(
            refund_id=f"ref_{next(self._numbers)}",
            payment_id=payment_id,
            amount=amount or state.payment.total,
            currency=state.payment.currency,
            status=RefundStatus.SUCCEEDED,
        )
        state.refunds.append(refund)
        return refund

    def dispute(self, payment_id: str, state: DisputeState) -> DisputeReport:
        payment = self.payments[payment_id].payment
        dispute = DisputeReport(
            dispute_id=f"dp_{payment_id}",
            payment_id=payment_id,
            amount=payment.total,
            currency=payment.currency,
            state=state,
        )
        self.payments[payment_id].disputes[:] = [dispute]
        return dispute

    def complete_refunds(self, payment_id: str) -> None:
        refunds = self.payments[payment_id].refunds
        refunds[:] = [replace(refund, status=RefundStatus.SUCCEEDED) for refund in refunds]

    def _answer(self) -> None:
        if self.is_away:
            raise Unavailable("payment_provider_unavailable", "The payment provider cannot be reached right now.")


def _refusal(code: str) -> Conflict:
    return Conflict("conflict", f"The payment provider refused it: {code}")


def envelope(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"business_id": "bus_1", "type": kind, "timestamp": "2026-01-15T10:30:00.123456Z", "data": data}


def payment_event(payment: PaymentReport, kind: str = "payment.succeeded", **changes: Any) -> dict[str, Any]:
    """An event of a payment, shaped as the provider's are, with some fields of its data changed."""
    data = {
        "payload_type": "Payment",
        "payment_id": payment.payment_id,
        "business_id": "bus_1",
        "status": payment.status if payment.status is not PaymentStatus.UNDER_WAY else "processing",
        "total_amount": payment.total,
        "currency": payment.currency,
        "tax": payment.tax or None,
        "customer": {"customer_id": "cus_1", "email": "payer@example.org", "name": "Payer", "metadata": {}},
        "product_cart": [{"product_id": line.product_id, "quantity": line.quantity} for line in payment.cart],
        "metadata": {"transaction_id": str(payment.ordered), "user_id": str(payment.buyer)},
        "checkout_session_id": payment.session_id,
        "payment_method": payment.method,
        "refunds": [],
        "disputes": [],
        "created_at": "2026-01-15T10:29:50Z",
    }
    return envelope(kind, data | changes)


def refund_event(refund: RefundReport, kind: str = "refund.succeeded", **changes: Any) -> dict[str, Any]:
    data = {
        "payload_type": "Refund",
        "refund_id": refund.refund_id,
        "payment_id": refund.payment_id,
        "amount": refund.amount,
        "currency": refund.currency,
        "is_partial": False,
        "status": kind.partition(".")[2],
        "reason": None,
        "created_at": "2026-01-16T10:29:50Z",
    }
    return envelope(kind, data | changes)


def dispute_event(dispute: DisputeReport, what: str, **changes: Any) -> dict[str, Any]:
    data = {
        "payload_type": "Dispute",
        "dispute_id": dispute.dispute_id,
        "payment_id": dispute.payment_id,
        "amount": str(dispute.amount),
        "currency": dispute.currency,
        "dispute_stage": "dispute",
        "dispute_status": f"dispute_{what}",
        "remarks": None,
        "created_at": "2026-01-17T10:29:50Z",
    }
    return envelope(f"dispute.{what}", data | changes)


def signed(
    secret: str, message_id: str, event: dict[str, Any] | bytes, *, at: datetime | None = None
) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a delivery, by the Standard Webhooks specification; any bytes can be signed."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    timestamp = str(int((at or datetime.now(UTC)).timestamp()))
    key = b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return body, {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }
