"""Asking the provider how purchases stand, so that a lost webhook costs nobody anything."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from application.payments.bookkeeping import Bookkeeping
from application.payments.one_purchase import claim_purchase
from application.payments.ports import (
    Alerts,
    PaymentEvent,
    PaymentEvents,
    PaymentNews,
    PaymentProvider,
    RefundReport,
    Report,
    TransactionRepository,
    Verdict,
)
from application.ports import UnitOfWork
from domain.transactions import TransactionStatus


class Reconciled(Struct, frozen=True):
    transaction_id: int
    before: TransactionStatus
    after: TransactionStatus


class ReconcileEvery(Struct, frozen=True):
    interval: timedelta
    """The least time between two questions about one purchase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Enters what the provider answers as its webhooks would have been: whoever comes first, the outcome is one.

    What would be quarantined of a webhook is quarantined of an answer, once. Each report has a transaction of its own,
    as if it had come by itself, and none is open while the provider is asked.
    """

    transactions: TransactionRepository
    provider: PaymentProvider
    events: PaymentEvents
    books: Bookkeeping
    alerts: Alerts
    every: ReconcileEvery
    uow: UnitOfWork

    async def of(self, transaction_id: int) -> Reconciled:
        """Raises `NotFound`, and `Unavailable` when the provider does not answer."""
        transaction = await claim_purchase(self.transactions, transaction_id)
        before, session_id = transaction.status, transaction.session_id
        payment_id = transaction.payment_id if transaction.paid else None
        await self.uow.commit()
        for report in await self._reports(session_id, payment_id):
            await self._enter(report)
        transaction = await claim_purchase(self.transactions, transaction_id)
        transaction.asked(await self.uow.now(), every=self.every.interval)
        after = transaction.status
        await self.uow.commit()
        return Reconciled(transaction_id, before, after)

    async def _reports(self, session_id: str | None, payment_id: str | None) -> list[Report]:
        if payment_id is None and session_id is not None:
            payment_id = await self.provider.paid_with(session_id)
        state = await self.provider.payment(payment_id) if payment_id is not None else None
        if state is None:
            return []
        payment = state.payment if state.payment.session_id else replace(state.payment, session_id=session_id)
        return [PaymentNews(happened=payment.status, payment=payment), *state.refunds, *state.disputes]

    async def _enter(self, report: Report) -> None:
        finding = await self.books.enter(report)
        if finding.verdict is Verdict.QUARANTINED:
            event_id = await self.events.add(_as_event(report))
            if event_id is not None:
                await self.events.settle(event_id, finding)
                self.alerts.alert("payment_quarantined", event_id=event_id, reason=finding.reason)
        await self.uow.commit()


def _as_event(report: Report) -> PaymentEvent:
    """The answer as an event, under a name of its own: the same finding is kept once."""
    match report:
        case PaymentNews():
            kind, name = "payment", report.payment.payment_id
        case RefundReport():
            kind, name = "refund", report.refund_id
        case _:
            kind, name = "dispute", report.dispute_id
    body = msgspec.json.encode(report)
    return PaymentEvent(webhook_id=f"reconciled:{name}", type=f"{kind}.reconciled", report=report, body=body)
