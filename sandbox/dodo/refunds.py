from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from sandbox.dodo.records import BUSINESS, Customer, written

RefundStatus = Literal["succeeded", "failed", "pending", "review"]


class Refund(Struct, kw_only=True, eq=False):
    """Money on its way back. `parts` says how much of which product, in minor units."""

    refund_id: str
    payment_id: str
    customer: Customer
    currency: str
    parts: dict[str, int]
    is_partial: bool
    status: str
    """A `RefundStatus`, or whatever a script says."""

    created_at: datetime
    reason: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def amount(self) -> int:
        return sum(self.parts.values())

    @property
    def counts(self) -> bool:
        """Whether its money is gone, or about to be."""
        return self.status != "failed"

    def listed(self) -> dict[str, Any]:
        """As an item of `GET /refunds`, and of a payment."""
        return {
            "refund_id": self.refund_id,
            "payment_id": self.payment_id,
            "business_id": BUSINESS,
            "amount": self.amount,
            "currency": self.currency,
            "is_partial": self.is_partial,
            "reason": self.reason,
            "status": self.status,
            "created_at": written(self.created_at),
            "network_reference": None,
            "network_reference_type": None,
            "network_reference_updated_at": None,
        }

    def wire(self) -> dict[str, Any]:
        return {**self.listed(), "brand_id": BUSINESS, "customer": self.customer, "metadata": self.metadata}
