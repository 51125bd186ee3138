"""What the provider says of money, turned into credits, whoever brings it, in whatever order and however often."""

from dataclasses import dataclass
from uuid import uuid4

from application.auth.ports import UserRepository
from application.credits.ports import CreditAccounts
from application.events import CreditsPurchased, PurchaseRefunded
from application.payments.ports import (
    DisputeReport,
    Finding,
    PaymentNews,
    PaymentRepository,
    RefundReport,
    Report,
    TransactionRepository,
    Verdict,
)
from application.ports import Alerts, Outbox, UnitOfWork
from domain.credits import Cause
from domain.payments import Dispute, DisputeState, Payment, Refund, RefundStatus
from domain.transactions import Mismatch, PaymentReport, PaymentStatus, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookkeeping:
    """Enters reports into the books, in the transaction of whoever brings them.

    A payment is kept from others first, then its order, then its owner's account: all in that order, so that nobody
    waits for one another in a circle.
    """

    payments: PaymentRepository
    transactions: TransactionRepository
    users: UserRepository
    accounts: CreditAccounts
    alerts: Alerts
    outbox: Outbox
    uow: UnitOfWork

    async def enter(self, report: Report) -> Finding:
        match report:
            case PaymentNews():
                return await self.payment(report)
            case RefundReport():
                return await self.refund(report)
            case DisputeReport():
                return await self.dispute(report)

    async def payment(self, news: PaymentNews) -> Finding:
        """A payment succeeded, failed, was cancelled, or is under way. Only one that succeeded grants anything."""
        report = news.payment
        payment = await self.payments.claim(report.payment_id)
        if payment.transaction_id is not None:
            return Finding(Verdict.APPLIED, transaction_id=payment.transaction_id)
        transaction = await self._ordered(report)
        if transaction is None:
            return _quarantined(Mismatch.SESSION_UNKNOWN)
        if news.happened is not PaymentStatus.SUCCEEDED and report.session_id == transaction.session_id:
            transaction.unpaid_yet(report, news.happened)
            return Finding(Verdict.APPLIED, transaction_id=transaction.id)
        mismatch = transaction.mismatch(report)
        if mismatch is not None:
            return _quarantined(mismatch, transaction)
        await self.grant(transaction, payment, report)
        return Finding(Verdict.APPLIED, transaction_id=transaction.id)

    async def refund(self, report: RefundReport) -> Finding:
        """Money goes, went, or did not go back to the payer."""
        payment = await self.payments.claim(report.payment_id)
        refund = Refund(
            id=report.refund_id,
            amount=report.amount,
            currency=report.currency,
            status=report.status,
            noted_at=await self.uow.now(),
        )
        is_news = payment.note_refund(refund)
        if not payment.speaks(report.currency):
            return Finding(Verdict.QUARANTINED, Mismatch.CURRENCY_MISMATCH, payment.transaction_id)
        transaction = await self._settled(payment, Cause.REFUND)
        if transaction is None:
            return Finding(Verdict.WAITING)
        if is_news and report.status is RefundStatus.SUCCEEDED:
            self._tell_of_refund(transaction, report.refund_id, payment)
            await self._alert_if_erased(transaction, "refund_for_erased_account")
        return Finding(Verdict.APPLIED, transaction_id=transaction.id)

    async def dispute(self, report: DisputeReport) -> Finding:
        """A payer's bank asks for the money back, or has decided."""
        payment = await self.payments.claim(report.payment_id)
        dispute = Dispute(
            id=report.dispute_id,
            amount=report.amount,
            currency=report.currency,
            state=report.state,
            noted_at=await self.uow.now(),
        )
        is_news = payment.note_dispute(dispute)
        if is_news and report.state is DisputeState.OPEN:
            self.alerts.alert("payment_disputed", payment_id=payment.id)  # evidence can be handed in for ten days
        if not payment.speaks(report.currency):
            return Finding(Verdict.QUARANTINED, Mismatch.CURRENCY_MISMATCH, payment.transaction_id)
        transaction = await self._settled(payment, Cause.DISPUTE)
        if transaction is None:
            return Finding(Verdict.WAITING)
        return Finding(Verdict.APPLIED, transaction_id=transaction.id)

    async def grant(self, transaction: Transaction, payment: Payment, report: PaymentReport) -> None:
        """Credit what was ordered, once, and let what waited for it take effect."""
        transaction.paid_by(payment, report)
        await self.accounts.record(
            transaction.user_id,
            transaction.credits,
            Cause.PURCHASE,
            natural_key=f"purchase:{transaction.id}",
            reference=f"transaction:{transaction.id}",
        )
        self.outbox.add(CreditsPurchased(transaction.id, str(uuid4())))
        for refund_id in payment.refunded:
            self._tell_of_refund(transaction, refund_id, payment)
        await self._alert_if_erased(transaction, "payment_for_erased_account")
        if payment.incomparable:
            self.alerts.alert("refund_or_dispute_in_another_currency", payment_id=payment.id)
        await self._follow(payment, transaction, Cause.REFUND if payment.refunds else Cause.DISPUTE)

    async def _settled(self, payment: Payment, cause: Cause) -> Transaction | None:
        """Bring a payment's credits in line with what is known of it; None while it has granted nothing."""
        if payment.transaction_id is None:
            return None
        transaction = await self.transactions.claim(payment.transaction_id)
        if transaction is not None:
            await self._follow(payment, transaction, cause)
        return transaction

    async def _follow(self, payment: Payment, transaction: Transaction, cause: Cause) -> None:
        reckoning = payment.reckon()
        if reckoning.frozen:
            await self.accounts.freeze(transaction.user_id, reckoning.frozen)
        if reckoning.taken:
            await self.accounts.record(
                transaction.user_id,
                -reckoning.taken,
                cause,
                natural_key=f"clawback:{payment.id}:{payment.taken}",
                reference=f"transaction:{transaction.id}",
            )
        transaction.follow(payment)

    async def _ordered(self, report: PaymentReport) -> Transaction | None:
        """The order that a payment names: by its checkout, or else by what we gave the order along."""
        if report.session_id is not None:
            by_session = await self.transactions.claim_by_session(report.session_id)
            if by_session is not None:
                return by_session
        return None if report.ordered is None else await self.transactions.claim(report.ordered)

    def _tell_of_refund(self, transaction: Transaction, refund_id: str, payment: Payment) -> None:
        self.outbox.add(PurchaseRefunded(transaction.id, payment.id, refund_id, str(uuid4())))

    async def _alert_if_erased(self, transaction: Transaction, kind: str) -> None:
        user = await self.users.by_id(transaction.user_id)
        if user is not None and user.deleted_at is not None:
            self.alerts.alert(kind, transaction_id=transaction.id, user_id=user.id)


def _quarantined(reason: Mismatch, transaction: Transaction | None = None) -> Finding:
    return Finding(Verdict.QUARANTINED, reason, transaction.id if transaction else None)
