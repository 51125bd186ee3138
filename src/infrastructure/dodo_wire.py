"""What Dodo Payments writes, read into reports (https://docs.dodopayments.com/developer-resources/webhooks).

Only what concerns us is read; all of it is bounded, for it goes into rows. What cannot be read is an exception of
msgspec, or a `ValueError`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from application.payments.ports import DisputeReport, PaymentNews, PaymentState, RefundReport, Report
from domain.payments import DisputeState, RefundStatus
from domain.transactions import CartLine, PaymentReport, PaymentStatus

Reference = Annotated[str, Meta(pattern=r"\A[\x21-\x7e]{1,200}\Z")]
Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
Minor = Annotated[int, Meta(ge=0, le=2**53 - 1)]
MinorInText = Annotated[str, Meta(pattern=r"\A[0-9]{1,15}\Z")]
"""How the amount of a dispute is written; other sources have a number, so both are read."""
Method = Annotated[str, Meta(max_length=100, pattern=r"\A[^\x00]*\Z")]

_PAYMENT_STATUSES = {
    status.value: status for status in (PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CANCELLED)
}
_PAYMENT_EVENTS = {
    "payment.succeeded": PaymentStatus.SUCCEEDED,
    "payment.failed": PaymentStatus.FAILED,
    "payment.cancelled": PaymentStatus.CANCELLED,
    "payment.processing": PaymentStatus.UNDER_WAY,
}
_REFUND_EVENTS = {"refund.succeeded": RefundStatus.SUCCEEDED, "refund.failed": RefundStatus.FAILED}
_REFUND_STATUSES = {"succeeded": RefundStatus.SUCCEEDED, "failed": RefundStatus.FAILED}
_DISPUTE_STATES = {
    "opened": DisputeState.OPEN,
    "challenged": DisputeState.OPEN,
    "won": DisputeState.WON,
    "cancelled": DisputeState.WON,
    "lost": DisputeState.LOST,
    "accepted": DisputeState.LOST,
    "expired": DisputeState.LOST,
}
_DISPUTE_STATUS = "dispute_"


class _CartLine(Struct, frozen=True):
    product_id: Reference
    quantity: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class _Refund(Struct, frozen=True):
    refund_id: Reference
    payment_id: Reference | None = None
    amount: Minor | None = None
    currency: Currency | None = None
    status: str = ""
    is_partial: bool | None = None


class _Dispute(Struct, frozen=True):
    dispute_id: Reference
    amount: Minor | MinorInText
    currency: Currency
    payment_id: Reference | None = None
    dispute_status: str = ""


class _Payment(Struct, frozen=True):
    payment_id: Reference
    status: str | None
    total_amount: Minor
    currency: Currency
    tax: Minor | None = None
    checkout_session_id: Reference | None = None
    product_cart: list[_CartLine] | None = None
    payment_method: Method | None = None
    metadata: dict[str, str | int | float | bool | None] | None = None
    refunds: list[msgspec.Raw] | None = None
    disputes: list[msgspec.Raw] | None = None


class _Envelope(Struct, frozen=True):
    type: Annotated[str, Meta(max_length=100, pattern=r"\A[^\x00]*\Z")]
    data: msgspec.Raw = msgspec.Raw(b"null")


def read_event(body: bytes) -> tuple[str, Report | None]:
    """An event's type, and what it reports; nothing where it is of no kind that concerns us."""
    envelope = msgspec.json.decode(body, type=_Envelope)
    kind, _, what = envelope.type.partition(".")
    if envelope.type in _PAYMENT_EVENTS:
        payment = msgspec.json.decode(envelope.data, type=_Payment)
        return envelope.type, PaymentNews(happened=_PAYMENT_EVENTS[envelope.type], payment=_payment(payment))
    if envelope.type in _REFUND_EVENTS:
        refund = msgspec.json.decode(envelope.data, type=_Refund)
        return envelope.type, _refund(refund, _REFUND_EVENTS[envelope.type])
    if kind == "dispute" and what in _DISPUTE_STATES:
        dispute = msgspec.json.decode(envelope.data, type=_Dispute)
        return envelope.type, _dispute(dispute, _DISPUTE_STATES[what])
    return envelope.type, None


def read_payment(body: bytes) -> PaymentState:
    """A payment as `GET /payments/{id}` answers it, with what it says of refunds and disputes.

    One of them that cannot be read does not hide the others.
    """
    payment = msgspec.json.decode(body, type=_Payment)
    state = PaymentState(_payment(payment), [], [], [])
    for refund in payment.refunds or []:
        try:
            state.refunds.append(_refund_of(payment, refund))
        except (msgspec.MsgspecError, ValueError):
            state.unreadable.append(bytes(refund))
    for dispute in payment.disputes or []:
        try:
            state.disputes.extend(_dispute_of(payment, dispute))
        except (msgspec.MsgspecError, ValueError):
            state.unreadable.append(bytes(dispute))
    return state


def read_refund(body: bytes) -> RefundReport:
    """A refund as `POST /refunds` answers it."""
    refund = msgspec.json.decode(body, type=_Refund)
    return _refund(refund, _REFUND_STATUSES.get(refund.status, RefundStatus.PENDING))


def _refund_of(payment: _Payment, body: msgspec.Raw) -> RefundReport:
    refund = msgspec.json.decode(body, type=_Refund)
    return _refund(refund, _REFUND_STATUSES.get(refund.status, RefundStatus.PENDING), payment)


def _dispute_of(payment: _Payment, body: msgspec.Raw) -> list[DisputeReport]:
    """None of a state that did not exist when this was written: as with events of such kinds."""
    dispute = msgspec.json.decode(body, type=_Dispute)
    state = _DISPUTE_STATES.get(dispute.dispute_status.removeprefix(_DISPUTE_STATUS))
    return [] if state is None else [_dispute(dispute, state, payment)]


def _payment(payment: _Payment) -> PaymentReport:
    metadata = payment.metadata or {}
    return PaymentReport(
        payment_id=payment.payment_id,
        session_id=payment.checkout_session_id,
        status=_PAYMENT_STATUSES.get(payment.status or "", PaymentStatus.UNDER_WAY),
        total=payment.total_amount,
        tax=payment.tax or 0,
        currency=payment.currency,
        cart=tuple(CartLine(line.product_id, line.quantity) for line in payment.product_cart or []),
        method=payment.payment_method,
        ordered=_number(metadata.get(TRANSACTION)),
        buyer=_number(metadata.get(USER)),
    )


def _refund(refund: _Refund, status: RefundStatus, of: _Payment | None = None) -> RefundReport:
    payment_id = refund.payment_id or (of.payment_id if of else None)
    amount, currency = refund.amount, refund.currency or (of.currency if of else None)
    if amount is None and of is not None:
        # A part that is not said is not guessed: the refund is known, and counts when its own event says how much.
        amount, status = (0, RefundStatus.PENDING) if refund.is_partial else (of.total_amount, status)
    if payment_id is None or amount is None or currency is None:
        raise ValueError("a refund that does not say of what, or how much")
    return RefundReport(
        refund_id=refund.refund_id, payment_id=payment_id, amount=amount, currency=currency, status=status
    )


def _dispute(dispute: _Dispute, state: DisputeState, of: _Payment | None = None) -> DisputeReport:
    payment_id = dispute.payment_id or (of.payment_id if of else None)
    if payment_id is None:
        raise ValueError("a dispute that does not say of what")
    return DisputeReport(
        dispute_id=dispute.dispute_id,
        payment_id=payment_id,
        amount=int(dispute.amount),
        currency=dispute.currency,
        state=state,
    )


TRANSACTION: Literal["transaction_id"] = "transaction_id"
USER: Literal["user_id"] = "user_id"
"""The metadata that an order carries, and its payment with it."""
_NOT_OURS = 0
"""No row has this id: what is there but is none of our ids matches nothing."""


def _number(value: object) -> int | None:
    if value is None:
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(2**63 - 1)) - 1 else _NOT_OURS
