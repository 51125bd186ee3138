"""What may be paid back, and how much of it. https://docs.dodopayments.com/api-reference/refunds/post-refunds"""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from sandbox.dodo.errors import RefusedError
from sandbox.dodo.money import rounded
from sandbox.dodo.payments import Payment
from sandbox.dodo.prices import Line


class RefundItem(Struct, frozen=True):
    item_id: str
    amount: Annotated[int, Meta(ge=0)] | None = None
    tax_inclusive: bool = True


class RefundRequest(Struct, frozen=True, kw_only=True):
    """The body of `POST /refunds`. No `items` is everything that is left."""

    payment_id: str
    reason: Annotated[str, Meta(max_length=3000)] | None = None
    currency: str | None = None
    metadata: dict[str, str | int | float | bool] | None = None
    items: list[RefundItem] | None = None


def check_refundable(payment: Payment) -> None:
    if payment.status != "succeeded":
        raise RefusedError(400, "PAYMENT_NOT_SUCCEEDED", "Only payments that have succeeded can be refunded")
    if any(refund.status in {"pending", "review"} for refund in payment.refunds):
        raise RefusedError(400, "EXISTING_REFUND_REQUEST_PROCESSING", "A refund of this payment is still processing")
    if payment.refundable <= 0:
        raise RefusedError(400, "PAYMENT_ALREADY_REFUNDED", "This payment has already been refunded")


def requested_parts(payment: Payment, request: RefundRequest) -> dict[str, int]:
    """How much of each product goes back, tax included; RefusedError when it cannot."""
    if request.currency not in {None, payment.price.currency}:
        raise RefusedError(400, "UNSUPPORTED_CURRENCY", "A refund is made in the currency that was paid in")
    if request.items is None:
        return rest_of(payment)
    lines = {line.product_id: line for line in payment.price.lines}
    parts: dict[str, int] = {}
    for item in request.items:
        if item.item_id in parts:
            raise RefusedError(400, "DUPLICATE_LINE_ITEMS_IN_REQUEST", "Duplicate item_ids specified in items array")
        if item.item_id not in lines:
            raise RefusedError(400, "LINE_ITEM_NOT_FOUND", f"Line item {item.item_id} not found in payment")
        parts[item.item_id] = amount_of(payment, item, lines[item.item_id])
    if not any(parts.values()):
        raise RefusedError(400, "NOTHING_TO_REFUND", "There is nothing to refund")
    return parts


def amount_of(payment: Payment, item: RefundItem, line: Line) -> int:
    left = line.amount - payment.refunded(line.product_id)
    if item.amount is None:
        return left
    amount = item.amount
    if not item.tax_inclusive and line.amount > line.tax:
        amount = rounded(Decimal(amount) * line.amount / (line.amount - line.tax))
    if amount > line.amount:
        raise RefusedError(
            400,
            "LINE_ITEM_REFUND_AMOUNT_TOO_HIGH",
            f"Line item {item.item_id} requested refund amount {amount} is above the paid amount {line.amount}",
        )
    if amount > left:
        raise exceeding()
    return amount


def rest_of(payment: Payment) -> dict[str, int]:
    return parts_of(payment, payment.refundable)


def parts_of(payment: Payment, amount: int) -> dict[str, int]:
    """Take an amount from the products in turn; RefusedError when that much is not left."""
    if amount > payment.refundable:
        raise exceeding()
    parts: dict[str, int] = {}
    for line in payment.price.lines:
        part = min(amount, line.amount - payment.refunded(line.product_id))
        if part > 0:
            parts[line.product_id] = part
            amount -= part
    if not parts:
        raise RefusedError(400, "NOTHING_TO_REFUND", "There is nothing to refund")
    return parts


def exceeding() -> RefusedError:
    return RefusedError(
        400, "REFUND_AMOUNT_EXCEEDS_PAID_AMOUNT", "The calculated refund amount is larger than the paid amount"
    )
