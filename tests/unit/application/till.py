"""Everything that buying credits touches, in memory, and a payment provider that must not be asked inside a
transaction."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from application.actor import Actor
from application.payments.create_checkout import CheckoutCreated, CreateCheckout
from application.payments.ports import PaymentEvent, PaymentNews, Report
from application.payments.reconcile_purchase import ReconcilePurchase
from application.payments.reconciliation import Reconciled
from application.payments.refund_purchase import RefundAsked, RefundPurchase
from application.payments.send_receipts import SendReceiptHandler, SendRefundNoticeHandler
from domain.credits import Cause
from domain.transactions import PaymentStatus, Transaction
from infrastructure.links import ConfiguredLinks
from infrastructure.mail_templates import JinjaMailTemplates
from tests.counter import ROOT, Counter, FakeAlerts, message, news_of
from tests.factories import UserFactory
from tests.in_memory import InMemoryAccounts, InMemoryAuditLog, InMemoryOutbox
from tests.in_memory import Transaction as Work
from tests.in_memory_purchases import InMemoryPaymentEvents, InMemoryPayments, InMemoryTransactions
from tests.selling import FakePaymentProvider
from tests.unit.application.reception import WORKER, WatchedMailer
from tests.unit.application.records import InMemoryIdempotencyKeys, InMemoryUsers
from tests.unit.factories import NOW

Result = TypeVar("Result")


class WatchedSeller(FakePaymentProvider):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work

    def _answer(self) -> None:
        assert not self._work.is_open, "the provider is asked inside a transaction"
        super()._answer()


@dataclass
class Till:
    """The handlers of money over one world, in which Ada is the customer."""

    uow: Work = field(default_factory=lambda: Work(NOW))

    def __post_init__(self) -> None:
        self.outbox = InMemoryOutbox(self.uow)
        self.accounts = InMemoryAccounts(self.uow)
        self.users = InMemoryUsers(self.uow, self.accounts)
        self.transactions = InMemoryTransactions(self.uow)
        self.payments = InMemoryPayments(self.uow)
        self.events = InMemoryPaymentEvents(self.uow)
        self.idempotency = InMemoryIdempotencyKeys(self.uow)
        self.audit = InMemoryAuditLog(self.uow)
        self.alerts = FakeAlerts()
        self.seller = WatchedSeller(self.uow)
        self.counter = Counter(self, self.seller, self.alerts)
        self.mailer = WatchedMailer(self.uow)
        links = ConfiguredLinks(public_url="https://api.tryon.example", frontend_url="https://tryon.example")
        templates = JinjaMailTemplates()
        self.send_receipt = SendReceiptHandler(
            users=self.users,
            transactions=self.transactions,
            links=links,
            templates=templates,
            mailer=self.mailer,
            uow=self.uow,
        )
        self.send_notice = SendRefundNoticeHandler(
            users=self.users,
            transactions=self.transactions,
            payments=self.payments,
            links=links,
            templates=templates,
            mailer=self.mailer,
            uow=self.uow,
        )
        self.ada = UserFactory.build()
        self._numbers = count(1)

    @classmethod
    async def opened(cls, *, credits_: int = 0) -> "Till":
        till = cls()
        await till.users.add(till.ada)
        await till.uow.commit()
        if credits_:
            await till.accounts.record(till.ada.id, credits_, Cause.GRANT, natural_key="to begin with")
            await till.uow.commit()
        return till

    @property
    def customer(self) -> Actor:
        return Actor.user(self.ada.id, session_id=1)

    async def request(self, handled: Awaitable[Result]) -> Result:
        """Whatever a request did not commit is gone when it ends."""
        try:
            return await handled
        finally:
            self.uow.abandon()

    async def order(self, quantity: int = 10, *, key: str | None = None) -> CheckoutCreated:
        return await self.request(self.counter.checkout(CreateCheckout(quantity), self.customer, key))

    async def hear(self, report: Report | None, *, webhook_id: str | None = None, readable: bool = True) -> None:
        """Have something told by webhook, under an id of its own unless one is given."""
        event: PaymentEvent = message(report, webhook_id or f"evt_{next(self._numbers)}", readable=readable)
        await self.request(self.counter.hear(event))

    def news(self, payment_id: str, happened: PaymentStatus | None = None) -> PaymentNews:
        return news_of(self.seller.payments[payment_id], happened)

    async def pay(self, order: CheckoutCreated, /, **changes: Any) -> str:
        """Pay at a checkout, and have it told; returns the payment's id."""
        payment_id = self.seller.pay(order.session_id, **changes)
        await self.hear(self.news(payment_id))
        return payment_id

    async def buy(self, quantity: int = 10, **changes: Any) -> tuple[int, str]:
        """Order and pay; returns the ids of purchase and payment."""
        order = await self.order(quantity)
        return order.transaction_id, await self.pay(order, **changes)

    async def reconcile(self, transaction_id: int) -> Reconciled:
        return await self.request(self.counter.reconcile(ReconcilePurchase(transaction_id), WORKER))

    async def refund(
        self, transaction_id: int, amount: int | None = None, *, by: Actor = ROOT, key: str | None = None
    ) -> RefundAsked:
        command = RefundPurchase("sorry", amount)
        return await self.request(self.counter.refund(command, by, transaction_id=transaction_id, key=key))

    def purchase(self, transaction_id: int) -> Transaction:
        return self.transactions.table.kept[transaction_id]

    def credits(self) -> list[tuple[int, Cause]]:
        """What came and went, in its order."""
        return [(entry.amount, entry.cause) for entry in self.accounts.entries(self.ada.id)]

    async def balance(self) -> tuple[int, int, int]:
        """All credits, the frozen ones, and what can be spent."""
        balance = await self.request(self.accounts.balance(self.ada.id))
        return balance.credits, balance.credits_frozen, balance.credits_available
