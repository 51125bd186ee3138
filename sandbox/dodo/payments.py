from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from sandbox.dodo.cards import Card
from sandbox.dodo.disputes import Dispute
from sandbox.dodo.prices import CartItem, Price
from sandbox.dodo.records import BUSINESS, Customer, written
from sandbox.dodo.refunds import Refund

PaymentStatus = Literal[
    "succeeded",
    "failed",
    "cancelled",
    "processing",
    "requires_customer_action",
    "requires_merchant_action",
    "requires_payment_method",
    "requires_confirmation",
    "requires_capture",
    "partially_captured",
    "partially_captured_and_capturable",
]
TOLD = frozenset({"succeeded", "failed", "processing", "cancelled"})
"""The statuses that have an event."""


class Payment(Struct, kw_only=True, eq=False):
    """One attempt of a customer to pay; it knows what was paid back, and what is fought about."""

    payment_id: str
    session_id: str
    link: str
    invoice_id: str
    customer: Customer
    billing: dict[str, Any]
    cart: list[CartItem]
    price: Price
    metadata: dict[str, Any]
    card: Card
    status: PaymentStatus
    created_at: datetime
    updated_at: datetime | None = None
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    def refunded(self, product_id: str) -> int:
        """How much of a product was paid back, or is about to be."""
        return sum(refund.parts.get(product_id, 0) for refund in self.refunds if refund.counts)

    @property
    def refundable(self) -> int:
        return self.price.total - sum(self.refunded(line.product_id) for line in self.price.lines)

    @property
    def refund_status(self) -> str | None:
        back = sum(refund.amount for refund in self.refunds if refund.status == "succeeded")
        return None if not back else "full" if back >= self.price.total else "partial"

    def line_items(self) -> dict[str, Any]:
        return {
            "currency": self.price.currency,
            "partial_refund_allowed": True,
            "items": [
                {
                    "items_id": line.product_id,
                    "amount": line.amount,
                    "refundable_amount": line.amount - self.refunded(line.product_id),
                    "tax": line.tax,
                    "name": f"{line.quantity} x {line.product_id}",
                    "description": None,
                }
                for line in self.price.lines
            ],
        }

    def listed(self) -> dict[str, Any]:
        """As an item of `GET /payments`, which has neither the cart nor the tax."""
        return {
            "payment_id": self.payment_id,
            "brand_id": BUSINESS,
            "status": self.status,
            "total_amount": self.price.total,
            "currency": self.price.currency,
            "customer": self.customer,
            "metadata": self.metadata,
            "checkout_session_id": self.session_id,
            "payment_method": "card",
            "payment_method_type": "credit",
            "payment_provider": "dodo",
            "card_last_four": self.card.last_four,
            "card_network": "visa",
            "card_type": "credit",
            "subscription_id": None,
            "subscription_ids": [],
            "service_periods": [],
            "charge_type": None,
            "retry_attempt": 0,
            "includes_usage": False,
            "is_multi_subscription": False,
            "digital_products_delivered": False,
            "has_license_key": False,
            "dispute_status": f"dispute_{self.disputes[-1].status}" if self.disputes else None,
            "refund_status": self.refund_status,
            "invoice_id": self.invoice_id,
            "invoice_url": None,
            "created_at": written(self.created_at),
        }

    def wire(self) -> dict[str, Any]:
        declined = self.status == "failed"
        return {
            "payment_id": self.payment_id,
            "business_id": BUSINESS,
            "brand_id": BUSINESS,
            "status": self.status,
            "total_amount": self.price.total,
            "currency": self.price.currency,
            "tax": self.price.tax if self.price.taxed else None,
            "settlement_amount": self.price.settlement_amount,
            "settlement_currency": self.price.settlement_currency,
            "settlement_tax": self.price.settlement_tax if self.price.taxed else None,
            "customer": self.customer,
            "billing": self.billing,
            "product_cart": self.cart,
            "metadata": self.metadata,
            "checkout_session_id": self.session_id,
            "payment_link": self.link,
            "payment_method": "card",
            "payment_method_type": "credit",
            "payment_method_id": None,
            "payment_provider": "dodo",
            "card_last_four": self.card.last_four,
            "card_network": "visa",
            "card_type": "credit",
            "card_issuing_country": "US",
            "card_holder_name": None,
            "subscription_id": None,
            "subscription_ids": [],
            "service_periods": [],
            "charge_type": None,
            "retry_attempt": 0,
            "includes_usage": False,
            "is_multi_subscription": False,
            "is_update_payment_method": False,
            "digital_products_delivered": False,
            "discount_id": None,
            "discounts": None,
            "custom_field_responses": None,
            "disputes": [dispute.webhook() for dispute in self.disputes],
            "refunds": [refund.listed() for refund in self.refunds],
            "refund_status": self.refund_status,
            "error_code": "CARD_DECLINED" if declined else None,
            "error_message": "Your card was declined." if declined else None,
            "invoice_id": self.invoice_id,
            "invoice_url": None,
            "created_at": written(self.created_at),
            "updated_at": self.updated_at and written(self.updated_at),
        }
