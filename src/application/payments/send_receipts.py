"""Mails about purchases, sent by the worker from what the outbox announced."""

from dataclasses import dataclass

from application.actor import Actor
from application.auth.ports import Links, UserRepository
from application.events import CreditsPurchased, PurchaseRefunded
from application.mail import Mailer, MailTemplates, Purchase, Refunded, hand_over
from application.payments.ports import PaymentRepository, TransactionRepository
from application.ports import UnitOfWork
from domain.money import written


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReceiptHandler:
    """Tell a customer what they bought and paid, unless the account has been erased meanwhile."""

    users: UserRepository
    transactions: TransactionRepository
    links: Links
    templates: MailTemplates
    mailer: Mailer
    uow: UnitOfWork

    async def __call__(self, event: CreditsPurchased, actor: Actor) -> None:
        transaction = await self.transactions.claim(event.transaction_id)
        user = await self.users.by_id(transaction.user_id) if transaction else None
        if transaction is None or user is None or user.deleted_at is not None:
            return
        purchase = Purchase(
            number=transaction.id,
            credits=transaction.credits,
            paid=written(transaction.amount, transaction.currency),
        )
        await self.uow.commit()
        mail = self.templates.receipt(user.email, user.name, self.links.sign_in(), purchase, key=event.key)
        await hand_over(self.mailer, mail)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRefundNoticeHandler:
    """Tell a customer that money went back, and how many credits with it, unless the account has been erased."""

    users: UserRepository
    transactions: TransactionRepository
    payments: PaymentRepository
    links: Links
    templates: MailTemplates
    mailer: Mailer
    uow: UnitOfWork

    async def __call__(self, event: PurchaseRefunded, actor: Actor) -> None:
        payment = await self.payments.claim(event.payment_id)
        transaction = await self.transactions.claim(event.transaction_id)
        user = await self.users.by_id(transaction.user_id) if transaction else None
        returned = payment.refunded.get(event.refund_id)
        if transaction is None or user is None or returned is None or user.deleted_at is not None:
            return
        refunded = Refunded(
            number=transaction.id,
            returned=written(returned, payment.currency),
            credits=transaction.credits,
            taken=payment.taken,
        )
        await self.uow.commit()
        mail = self.templates.refund_notice(user.email, user.name, self.links.sign_in(), refunded, key=event.key)
        await hand_over(self.mailer, mail)
