"""Purchases, payments and the provider's events in memory, as transactions keep and drop them.

`tests/integration/database/test_purchases.py` holds them to the promises of the real ones.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace as changed

from application.payments.ports import (
    Finding,
    KeptEvent,
    PaymentEvent,
    PaymentEvents,
    PaymentRepository,
    TransactionRepository,
    Verdict,
)
from domain.payments import Payment
from domain.transactions import Mismatch, Transaction
from tests.in_memory import Transaction as Work

Row = TypeVar("Row")


class Table(Generic[Row]):
    """Rows as the present transaction sees them; `kept` as all others do."""

    def __init__(self, work: Work, copied: Callable[[Row], Row]) -> None:
        self.kept: dict[Hashable, Row] = {}
        self.rows: dict[Hashable, Row] = {}
        self._copied = copied
        work.participants.append(self)

    def flush(self) -> None:
        """Every change is there at once."""

    def keep(self) -> None:
        self.kept = {key: self._copied(row) for key, row in self.rows.items()}

    def drop(self) -> None:
        self.rows = {key: self._copied(row) for key, row in self.kept.items()}


class InMemoryTransactions(TransactionRepository):
    def __init__(self, work: Work) -> None:
        self.table: Table[Transaction] = Table(work, _copied_transaction)
        self._work = work
        self._ids = count(1)

    async def add(self, transaction: Transaction) -> None:
        self._work.use()
        transaction.id = next(self._ids)
        self.table.rows[transaction.id] = transaction

    async def claim(self, transaction_id: int) -> Transaction | None:
        self._work.use()
        return self.table.rows.get(transaction_id)

    async def claim_by_session(self, session_id: str) -> Transaction | None:
        self._work.use()
        return next((row for row in self.table.rows.values() if row.session_id == session_id), None)

    async def unpaid(self, owner: int, *, since: datetime) -> int:
        self._work.use()
        orders = [row for row in self.table.rows.values() if row.user_id == owner and row.created_at > since]
        return sum(not row.paid for row in orders)

    async def open(self) -> Sequence[int]:
        self._work.use()
        return [row.id for row in self.table.rows.values() if row.ask_at is not None]


class InMemoryPayments(PaymentRepository):
    def __init__(self, work: Work) -> None:
        self.table: Table[Payment] = Table(work, _copied_payment)
        self._work = work

    async def claim(self, payment_id: str) -> Payment:
        heard_at = await self._work.now()
        return self.table.rows.setdefault(payment_id, Payment(id=payment_id, heard_at=heard_at))


class EventRow(Struct, frozen=True):
    id: int
    event: PaymentEvent
    verdict: Verdict = Verdict.IGNORED
    reason: Mismatch | None = None
    transaction_id: int | None = None


class InMemoryPaymentEvents(PaymentEvents):
    """Bodies are kept here whatever becomes of an event: no handler reads them."""

    def __init__(self, work: Work) -> None:
        self.table: Table[EventRow] = Table(work, lambda row: row)
        self._work = work
        self._ids = count(1)

    async def add(self, event: PaymentEvent) -> int | None:
        self._work.use()
        if any(row.event.webhook_id == event.webhook_id for row in self.table.rows.values()):
            return None
        row = EventRow(next(self._ids), event)
        self.table.rows[row.id] = row
        return row.id

    async def settle(self, event_id: int, finding: Finding) -> None:
        self._work.use()
        row = self.table.rows[event_id]
        self.table.rows[event_id] = changed(
            row, verdict=finding.verdict, reason=finding.reason, transaction_id=finding.transaction_id
        )

    async def claim(self, event_id: int) -> KeptEvent | None:
        self._work.use()
        row = self.table.rows.get(event_id)
        return KeptEvent(row.id, row.event.type, row.verdict, row.event.report, row.transaction_id) if row else None


def _copied_transaction(transaction: Transaction) -> Transaction:
    copied = replace(transaction)
    copied.id = transaction.id
    return copied


def _copied_payment(payment: Payment) -> Payment:
    return replace(
        payment,
        refunds=[replace(refund) for refund in payment.refunds],
        disputes=[replace(dispute) for dispute in payment.disputes],
    )
