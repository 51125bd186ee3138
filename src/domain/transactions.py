"""A purchase of credits, from the order to the money's way back."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from domain.errors import Conflict
from domain.payments import Payment

CHECKOUT_LIFE = timedelta(hours=24)
"""How long a customer can pay at a checkout (https://docs.dodopayments.com/developer-resources/checkout-session)."""
CALL_LIFE = timedelta(minutes=2)
"""How long one request has a purchase to itself while it asks the provider for something: longer than three calls in a
row take, and than what was asked in the last of them may take to be seen."""
LAST_NEWS = timedelta(hours=2)
"""After a checkout's end, what was paid just before may still be under way."""
SLOWEST_PAYMENT = timedelta(days=14)
"""A payment that is known to be under way may take so long: direct debits have days to succeed or to fail."""


class TransactionStatus(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    DISPUTED = "DISPUTED"


class PaymentStatus(StrEnum):
    """How a payment stands at the provider. What is none of the first three is on its way."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDER_WAY = "under_way"


class CartLine(Struct, frozen=True):
    product_id: str
    quantity: int


class PaymentReport(Struct, frozen=True, kw_only=True, tag="payment"):
    """What the provider says of a payment; amounts are minor units of its currency."""

    payment_id: str
    session_id: str | None
    status: PaymentStatus
    total: int
    tax: int
    currency: str
    cart: tuple[CartLine, ...]
    method: str | None = None
    ordered: int | None = None
    """Our transaction's id, as the order carried it; None where the payment carries none."""
    buyer: int | None = None
    """Our user's id, likewise."""


class Mismatch(StrEnum):
    """Why money that came in is not credited without an operator."""

    UNREADABLE = "unreadable"
    SESSION_UNKNOWN = "session_unknown"
    STATUS_MISMATCH = "status_mismatch"
    OWNER_MISMATCH = "owner_mismatch"
    PRODUCT_MISMATCH = "product_mismatch"
    QUANTITY_MISMATCH = "quantity_mismatch"
    AMOUNT_TOO_LOW = "amount_too_low"
    PAID_ALREADY = "paid_already"
    CURRENCY_MISMATCH = "currency_mismatch"


class Offer(Struct, frozen=True):
    """What is for sale: one credit."""

    product_id: str
    price: int
    """Minor units."""
    currency: str


_STATUS_OF = {
    PaymentStatus.FAILED: TransactionStatus.FAILED,
    PaymentStatus.CANCELLED: TransactionStatus.CANCELLED,
    PaymentStatus.UNDER_WAY: TransactionStatus.PROCESSING,
}


@dataclass(kw_only=True, eq=False)
class Transaction:
    """One purchase. It grants its credits once, to its own user, for money that is what was asked."""

    user_id: int
    credits: int
    product_id: str
    price: int
    """Of one credit when it was ordered, in minor units of the price's currency."""
    price_currency: str
    amount: int
    """What it costs; once paid, what was paid, tax included."""
    currency: str
    status: TransactionStatus = TransactionStatus.PENDING
    session_id: str | None = None
    checkout_url: str | None = None
    opening_until: datetime | None = None
    refunding_until: datetime | None = None
    payment_id: str | None = None
    payment_method: str | None = None
    created_at: datetime
    ask_at: datetime | None
    """When the provider is to be asked about it next."""
    id: int = field(init=False, repr=False)

    @classmethod
    def order(cls, owner: int, quantity: int, offer: Offer, now: datetime) -> "Transaction":
        """A new order, whose checkout is being opened."""
        return cls(
            user_id=owner,
            credits=quantity,
            product_id=offer.product_id,
            price=offer.price,
            price_currency=offer.currency,
            amount=quantity * offer.price,
            currency=offer.currency,
            opening_until=now + CALL_LIFE,
            created_at=now,
            ask_at=now + _LONGEST_CHECKOUT,
        )

    @property
    def paid(self) -> bool:
        return self.status not in UNPAID

    def being_opened(self, now: datetime) -> bool:
        """Another request is opening its checkout at this moment."""
        return self.opening_until is not None and self.opening_until > now

    def open_again(self, now: datetime) -> None:
        """Whoever opened it came to no end: it is ordered anew, and its day begins now."""
        self.status = TransactionStatus.PENDING
        self.created_at = now
        self.opening_until, self.ask_at = now + CALL_LIFE, now + _LONGEST_CHECKOUT

    def opened(self, session_id: str, checkout_url: str, now: datetime) -> None:
        """The customer can pay; the provider is asked about it from now on."""
        self.session_id, self.checkout_url = session_id, checkout_url
        self.opening_until, self.ask_at = None, now

    def not_opened(self) -> None:
        self.opening_until = None
        self.status = TransactionStatus.FAILED

    def begin_refund(self, now: datetime) -> str:
        """Keep other refunds out while the provider is asked for one; returns the payment's id. Raises `Conflict`."""
        if not self.paid or self.payment_id is None:
            raise Conflict("conflict", "This purchase has not been paid.")
        if self.refunding_until is not None and self.refunding_until > now:
            raise Conflict("idempotency_in_progress", "A refund of this purchase is being asked for.")
        self.refunding_until = now + CALL_LIFE
        return self.payment_id

    def end_refund(self) -> None:
        self.refunding_until = None

    def mismatch(self, report: PaymentReport) -> Mismatch | None:
        """What of a payment is not as it was ordered; None: it pays this order.

        What an amount in another currency is worth, the provider has judged; that it is nothing, nobody can have.
        """
        least = self.credits * self.price if report.currency == self.price_currency else 1
        checks = (
            (report.session_id is None or report.session_id != self.session_id, Mismatch.SESSION_UNKNOWN),
            (report.status is not PaymentStatus.SUCCEEDED, Mismatch.STATUS_MISMATCH),
            (report.ordered not in {None, self.id}, Mismatch.OWNER_MISMATCH),
            (report.buyer not in {None, self.user_id}, Mismatch.OWNER_MISMATCH),
            ([line.product_id for line in report.cart] != [self.product_id], Mismatch.PRODUCT_MISMATCH),
            (sum(line.quantity for line in report.cart) != self.credits, Mismatch.QUANTITY_MISMATCH),
            (report.total - report.tax < least, Mismatch.AMOUNT_TOO_LOW),
            (self.paid, Mismatch.PAID_ALREADY),
        )
        return next((mismatch for differs, mismatch in checks if differs), None)

    def paid_by(self, payment: Payment, report: PaymentReport) -> None:
        """Grant what was ordered. That neither has been granted before, whoever calls has made sure of."""
        self.payment_id = report.payment_id
        self.payment_method = report.method or self.payment_method
        self.amount, self.currency = report.total, report.currency
        payment.grant(self.id, self.credits, total=report.total, currency=report.currency)
        self.follow(payment)

    def unpaid_yet(self, report: PaymentReport, status: PaymentStatus) -> None:
        """A payment for this order is under way or came to nothing. What has been paid stays paid."""
        if self.paid or status not in _STATUS_OF:
            return
        told = _STATUS_OF[status]
        if self.payment_id == report.payment_id and told is TransactionStatus.PROCESSING and self._ended:
            return  # older news
        self.payment_id, self.status = report.payment_id, told
        self.payment_method = report.method or self.payment_method

    def follow(self, payment: Payment) -> None:
        """Take the status from the payment's refunds and disputes."""
        if payment.disputed:
            self.status = TransactionStatus.DISPUTED
        elif payment.returned >= payment.total > 0:
            self.status = TransactionStatus.REFUNDED
        elif payment.returned:
            self.status = TransactionStatus.PARTIALLY_REFUNDED
        else:
            self.status = TransactionStatus.SUCCEEDED

    def asked(self, now: datetime, *, every: timedelta) -> None:
        """The provider was asked: when to ask next. The longer ago it was ordered, the less often, and not for ever."""
        age = now - self.created_at
        under_way = self.status is TransactionStatus.PROCESSING
        if not self.paid and age >= (SLOWEST_PAYMENT if under_way else _LONGEST_CHECKOUT):
            if not self._ended:
                self.status = TransactionStatus.CANCELLED
            self.ask_at = None
        elif age > _LONGEST_RETURN:
            self.ask_at = None
        else:
            self.ask_at = now + max(every, age / 10)

    @property
    def _ended(self) -> bool:
        return self.status in {TransactionStatus.FAILED, TransactionStatus.CANCELLED}


_LONGEST_CHECKOUT = CHECKOUT_LIFE + LAST_NEWS
UNPAID = frozenset(
    {
        TransactionStatus.PENDING,
        TransactionStatus.PROCESSING,
        TransactionStatus.FAILED,
        TransactionStatus.CANCELLED,
    }
)
_LONGEST_RETURN = timedelta(days=180)
"""Cards can be charged back for 120 days as a rule; the bank then has some weeks."""
