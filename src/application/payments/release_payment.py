from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.payments.bookkeeping import Bookkeeping
from application.payments.one_purchase import claim_event
from application.payments.ports import (
    Finding,
    PaymentEvents,
    PaymentNews,
    PaymentRepository,
    TransactionRepository,
    Verdict,
)
from application.ports import UnitOfWork
from domain.errors import Conflict


class ReleasePayment(Struct, frozen=True):
    event_id: int
    reason: Reason


class PaymentReleased(Struct, frozen=True):
    event_id: int
    transaction_id: int
    credits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePaymentHandler:
    """Credit a payment that was quarantined: an operator has looked at it. What was ordered is granted, once."""

    events: PaymentEvents
    payments: PaymentRepository
    transactions: TransactionRepository
    books: Bookkeeping
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: ReleasePayment, actor: Actor) -> PaymentReleased:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        event = await claim_event(self.events, command.event_id)
        if event.verdict is not Verdict.QUARANTINED:
            raise Conflict("conflict", f"This event is not quarantined: it is {event.verdict}.")
        if not isinstance(event.report, PaymentNews) or event.transaction_id is None:
            raise Conflict("conflict", "This event names no purchase of ours that could be credited.")
        report = event.report.payment
        payment = await self.payments.claim(report.payment_id)
        transaction = await self.transactions.claim(event.transaction_id)
        if transaction is None or transaction.paid or payment.transaction_id is not None:
            raise Conflict("conflict", "This purchase, or this payment, has been credited before.")
        await self.books.grant(transaction, payment, report)
        await self.events.settle(event.id, Finding(Verdict.RELEASED, transaction_id=transaction.id))
        details = {"transaction": transaction.id, "payment": payment.id, "credits": transaction.credits}
        await self.audit.note(operator, "payment.release", f"event:{event.id}", reason=reason, details=details)
        await self.uow.commit()
        return PaymentReleased(event.id, transaction.id, transaction.credits)
