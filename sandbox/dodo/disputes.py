"""Disputes. https://docs.dodopayments.com/developer-resources/webhooks/intents/dispute"""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from sandbox.dodo.records import BUSINESS, Customer, written

DisputeStatus = Literal["opened", "expired", "accepted", "cancelled", "challenged", "won", "lost"]
Stage = Literal["pre_dispute", "dispute", "pre_arbitration"]


class Dispute(Struct, kw_only=True, eq=False):
    dispute_id: str
    payment_id: str
    customer: Customer
    amount: int
    currency: str
    status: DisputeStatus
    stage: Stage
    reason: str | None
    created_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status in {"opened", "challenged"}

    def webhook(self) -> dict[str, Any]:
        """As an event tells it, and a payment: the amount, minor units too, is a text here."""
        return {
            "dispute_id": self.dispute_id,
            "payment_id": self.payment_id,
            "business_id": BUSINESS,
            "amount": str(self.amount),
            "currency": self.currency,
            "dispute_stage": self.stage,
            "dispute_status": f"dispute_{self.status}",
            "remarks": None,
            "is_resolved_by_rdr": None,
            "created_at": written(self.created_at),
        }

    def listed(self) -> dict[str, Any]:
        """As an item of `GET /disputes`, which has no remarks."""
        item = {**self.webhook(), "payment_provider": "dodo"}
        del item["remarks"]
        return item

    def wire(self) -> dict[str, Any]:
        return {
            **self.webhook(),
            "brand_id": BUSINESS,
            "customer": self.customer,
            "reason": self.reason,
            "payment_provider": "dodo",
        }
