"""What the payment use cases need from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from domain.payments import DisputeState, Payment, RefundStatus
from domain.transactions import Mismatch, PaymentReport, PaymentStatus, Transaction, TransactionStatus


class RefundReport(Struct, frozen=True, kw_only=True, tag="refund"):
    """What the provider says of a refund; the amount is minor units of its currency."""

    refund_id: str
    payment_id: str
    amount: int
    currency: str
    status: RefundStatus


class DisputeReport(Struct, frozen=True, kw_only=True, tag="dispute"):
    """What the provider says of a dispute; the amount is minor units of its currency."""

    dispute_id: str
    payment_id: str
    amount: int
    currency: str
    state: DisputeState


class PaymentNews(Struct, frozen=True, kw_only=True, tag="news"):
    """A payment's event: what it says has happened, and how the payment stood when it was sent."""

    happened: PaymentStatus
    payment: PaymentReport


Report = PaymentNews | RefundReport | DisputeReport


class PaymentEvent(Struct, frozen=True, kw_only=True):
    """A signed message of the payment provider."""

    webhook_id: str
    """The same in every repetition of it."""
    type: str
    report: Report | None
    """None when it is of no kind that concerns us, or when it cannot be read."""
    readable: bool = True
    body: bytes
    """As it came over the wire."""


class PaymentWebhook(Protocol):
    def open(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        """Check who sent a message, and read it.

        Raises `Unauthenticated` (`webhook_signature_invalid`), and nothing else, unless the provider signed it.
        """
        ...


class CheckoutOrder(Struct, frozen=True, kw_only=True):
    """What the provider is to sell for us: nothing in it is the customer's to choose but the quantity."""

    transaction_id: int
    user_id: int
    email: str
    name: str
    product_id: str
    quantity: int
    currency: str


class Checkout(Struct, frozen=True):
    session_id: str
    url: str


class PaymentState(Struct, frozen=True):
    """A payment with all that is known of the money's way back."""

    payment: PaymentReport
    refunds: list[RefundReport]
    disputes: list[DisputeReport]
    unreadable: list[bytes] = []
    """What it says of a refund or a dispute, where nobody can tell what that is."""


class PaymentProvider(Protocol):
    """Raises `Unavailable` (`payment_provider_unavailable`) when the provider does not answer or refuses us.

    Nothing is repeated here: a checkout or a refund has no idempotency key at the provider.
    """

    async def open_checkout(self, order: CheckoutOrder) -> Checkout: ...

    async def paid_with(self, session_id: str) -> str | None:
        """The id of the latest payment that was made at a checkout; None when there is none."""
        ...

    async def payment(self, payment_id: str) -> PaymentState | None: ...

    async def refund(self, payment_id: str, *, amount: int | None, reason: str) -> RefundReport:
        """Give the money back, all of it, or an amount in minor units. Raises `Conflict` when that is refused."""
        ...


class TransactionRepository(Protocol):
    async def add(self, transaction: Transaction) -> None:
        """Keep a new one, so that it has an id."""
        ...

    async def claim(self, transaction_id: int) -> Transaction | None:
        """The transaction, kept to this one until it ends."""
        ...

    async def claim_by_session(self, session_id: str) -> Transaction | None: ...

    async def unpaid(self, owner: int, *, since: datetime) -> int:
        """How many a customer has ordered since then and not paid so far."""
        ...

    async def open(self) -> Sequence[int]:
        """Ids of purchases that may yet be paid, or whose money may yet go back: all that is worth asking about."""
        ...


class ReconcileEvery(Struct, frozen=True):
    interval: timedelta
    """The least time between two questions about one purchase."""


class PurchasesDue(Protocol):
    async def take(self, limit: int) -> Sequence[int]:
        """Ids of purchases that the provider is to be asked about now; several workers that ask share them."""
        ...


class PaymentRepository(Protocol):
    async def claim(self, payment_id: str) -> Payment:
        """The payment, made when nobody has heard of it, and kept to this transaction until it ends.

        It is claimed before its order: whoever brings news of one payment waits here for one another.
        """
        ...


class Verdict(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    WAITING = "waiting"
    """Of a payment that has granted nothing so far: it takes effect when that changes."""
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    RELEASED = "released"


class Finding(Struct, frozen=True):
    verdict: Verdict
    reason: Mismatch | None = None
    transaction_id: int | None = None


class KeptEvent(Struct, frozen=True):
    id: int
    type: str
    verdict: Verdict
    report: Report | None
    transaction_id: int | None


class PaymentEvents(Protocol):
    """Every signed message, kept for ever, so that none counts twice."""

    async def add(self, event: PaymentEvent) -> int | None:
        """Keep a new event; returns its id here, or None when it has come before. Repetitions wait for each other."""
        ...

    async def settle(self, event_id: int, finding: Finding) -> None:
        """Note what became of it.

        Of what is ignored, and of all events about an erased person's payments, nothing but ids and amounts is kept.
        """
        ...

    async def claim(self, event_id: int) -> KeptEvent | None: ...


class TransactionItem(Struct, frozen=True):
    """A purchase as its customer sees it; the amount is minor units of the currency."""

    id: int
    session_id: str | None
    payment_id: str | None
    amount: int
    currency: str
    credits_purchased: int
    status: TransactionStatus
    payment_method: str | None
    created_at: datetime


class TransactionReader(Protocol):
    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[TransactionItem]:
        """Purchases with an id below `before`, newest first."""
        ...

    async def own(self, transaction_id: int, *, owner: int) -> TransactionItem | None: ...
