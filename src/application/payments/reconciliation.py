"""Asking the provider how purchases stand, so that a lost webhook costs nobody anything."""

from dataclasses import dataclass
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from application.payments.bookkeeping import Bookkeeping
from application.payments.one_purchase import claim_purchase
from application.payments.ports import (
    DisputeReport,
    Finding,
    PaymentEvent,
    PaymentNews,
    PaymentProvider,
    PaymentState,
    ReconcileEvery,
    RefundReport,
    Report,
    TransactionRepository,
    Verdict,
)
from application.payments.verdicts import Verdicts
from application.ports import UnitOfWork
from domain.transactions import Mismatch, TransactionStatus


class Reconciled(Struct, frozen=True):
    transaction_id: int
    before: TransactionStatus
    after: TransactionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Enters what the provider answers as its webhooks would have been: whoever comes first, the outcome is one.

    What would be quarantined of a webhook is quarantined of an answer, once. Each report has a transaction of its own,
    as if it had come by itself, and none is open while the provider is asked.
    """

    transactions: TransactionRepository
    provider: PaymentProvider
    books: Bookkeeping
    verdicts: Verdicts
    every: ReconcileEvery
    uow: UnitOfWork

    async def of(self, transaction_id: int) -> Reconciled:
        """Raises `NotFound`, and `Unavailable` when the provider does not answer."""
        transaction = await claim_purchase(self.transactions, transaction_id)
        before, session_id = transaction.status, transaction.session_id
        payment_id = transaction.payment_id if transaction.paid else None
        await self.uow.commit()
        state = await self._state(session_id, payment_id)
        if state is not None:
            await self._enter(state, session_id)
        transaction = await claim_purchase(self.transactions, transaction_id)
        transaction.asked(await self.uow.now(), every=self.every.interval)
        after = transaction.status
        await self.uow.commit()
        return Reconciled(transaction_id, before, after)

    async def _state(self, session_id: str | None, payment_id: str | None) -> PaymentState | None:
        if payment_id is None and session_id is not None:
            payment_id = await self.provider.paid_with(session_id)
        return await self.provider.payment(payment_id) if payment_id is not None else None

    async def _enter(self, state: PaymentState, session_id: str | None) -> None:
        payment = state.payment if state.payment.session_id else replace(state.payment, session_id=session_id)
        reports: list[Report] = [PaymentNews(happened=payment.status, payment=payment)]
        for report in (*reports, *state.refunds, *state.disputes):
            finding = await self.books.enter(report)
            if finding.verdict is Verdict.QUARANTINED:
                await self.verdicts.keep(_as_event(report), finding)
            await self.uow.commit()
        for body in state.unreadable:
            unreadable = Finding(Verdict.QUARANTINED, Mismatch.UNREADABLE)
            await self.verdicts.keep(_unreadable(payment.payment_id, body), unreadable)
            await self.uow.commit()


def _as_event(report: Report) -> PaymentEvent:
    """The answer as an event, under a name of its own: the same finding is kept once."""
    match report:
        case PaymentNews():
            kind, name = "payment", report.payment.payment_id
        case RefundReport():
            kind, name = "refund", report.refund_id
        case DisputeReport():
            kind, name = "dispute", report.dispute_id
    body = msgspec.json.encode(report)
    return PaymentEvent(webhook_id=f"reconciled:{name}", type=f"{kind}.reconciled", report=report, body=body)


def _unreadable(payment_id: str, body: bytes) -> PaymentEvent:
    name = f"reconciled:{payment_id}:{sha256(body).hexdigest()[:16]}"
    return PaymentEvent(webhook_id=name, type="payment.reconciled", report=None, readable=False, body=body)
