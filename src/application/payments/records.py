"""Purchases and the provider's events as operators see them."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from application.payments.ports import Report, TransactionItem, Verdict
from domain.payments import DisputeState, RefundStatus
from domain.transactions import Mismatch, TransactionStatus


class TransactionRecord(TransactionItem, frozen=True):
    """A purchase with whose it is."""

    user_id: int
    email: str


class RefundRecord(Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: RefundStatus
    noted_at: datetime


class DisputeRecord(Struct, frozen=True):
    id: str
    amount: int
    currency: str
    state: DisputeState
    noted_at: datetime


class EventItem(Struct, frozen=True):
    id: int
    webhook_id: str
    type: str
    verdict: Verdict
    reason: Mismatch | None
    payment_id: str | None
    transaction_id: int | None
    received_at: datetime


class EventRecord(EventItem, frozen=True):
    report: Report | None
    """What was read of it."""
    body: str | None
    """As it came; gone with the person it was about."""


class PurchaseStory(Struct, frozen=True):
    """All that is known of one purchase. `granted`, `taken` and `frozen` are credits."""

    transaction: TransactionRecord
    granted: int
    taken: int
    frozen: int
    refunds: list[RefundRecord]
    disputes: list[DisputeRecord]
    events: list[EventItem]


class PurchaseFilter(Struct, frozen=True):
    status: TransactionStatus | None = None
    user_id: int | None = None


class PurchaseRecords(Protocol):
    async def latest(self, wanted: PurchaseFilter, *, before: int | None, limit: int) -> list[TransactionRecord]:
        """Purchases with an id below `before`, newest first."""
        ...

    async def story(self, transaction_id: int) -> PurchaseStory | None: ...

    async def events(self, *, quarantined: bool, before: int | None, limit: int) -> list[EventItem]:
        """The provider's events with an id below `before`, newest first."""
        ...

    async def event(self, event_id: int) -> EventRecord | None: ...
