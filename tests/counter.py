"""The counter where credits are bought: every handler that deals with money, over whatever adapters it is given."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from application.actor import Actor
from application.audit import AuditLog
from application.auth.ports import UserRepository
from application.credits.ports import CreditAccounts
from application.payments.bookkeeping import Bookkeeping
from application.payments.create_checkout import CreateCheckoutHandler
from application.payments.ports import (
    PaymentEvent,
    PaymentEvents,
    PaymentNews,
    PaymentRepository,
    PaymentState,
    ReconcileEvery,
    Report,
    TransactionRepository,
)
from application.payments.receive_webhook import ReceiveWebhook, ReceiveWebhookHandler
from application.payments.reconcile_purchase import ReconcilePurchaseHandler
from application.payments.reconcile_purchases import ReconcilePurchasesHandler
from application.payments.reconciliation import Reconciliation
from application.payments.refund_purchase import RefundPurchaseHandler
from application.payments.release_payment import ReleasePaymentHandler
from application.payments.replay_event import ReplayEventHandler
from application.payments.verdicts import Verdicts
from application.ports import Alerts, IdempotencyKeys, Outbox, UnitOfWork
from domain.transactions import Offer, PaymentStatus
from tests.selling import PRICE, FakePaymentProvider

OFFER = Offer("pdt_1", PRICE, "USD")
EVERY = ReconcileEvery(timedelta(minutes=5))
ROOT = Actor.operator("root")
DODO = Actor.system("dodo")


def message(report: Report | None, webhook_id: str, *, readable: bool = True) -> PaymentEvent:
    """A report as the webhook that tells it."""
    return PaymentEvent(webhook_id=webhook_id, type="event", report=report, readable=readable, body=b"{}")


def news_of(state: PaymentState, happened: PaymentStatus | None = None) -> PaymentNews:
    """What the provider tells of a payment as it stands."""
    return PaymentNews(happened=happened or state.payment.status, payment=state.payment)


@dataclass
class FakeAlerts(Alerts):
    """Remembers what operators were told of; also by transactions that came to nothing, as a log does."""

    kinds: list[str] = field(default_factory=list)

    def alert(self, kind: str, **details: object) -> None:
        assert all(isinstance(detail, str | int) for detail in details.values()), "ids only"
        self.kinds.append(kind)


class Adapters(Protocol):
    """What the handlers of one transaction work with."""

    @property
    def users(self) -> UserRepository: ...
    @property
    def accounts(self) -> CreditAccounts: ...
    @property
    def transactions(self) -> TransactionRepository: ...
    @property
    def payments(self) -> PaymentRepository: ...
    @property
    def events(self) -> PaymentEvents: ...
    @property
    def idempotency(self) -> IdempotencyKeys: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def uow(self) -> UnitOfWork: ...


class Counter:
    def __init__(
        self, adapters: Adapters, provider: FakePaymentProvider, alerts: Alerts, uow: UnitOfWork | None = None
    ) -> None:
        """`uow` stands in for that of the adapters."""
        self.uow = uow = uow or adapters.uow
        users, transactions, payments, events = (
            adapters.users,
            adapters.transactions,
            adapters.payments,
            adapters.events,
        )
        self.books = Bookkeeping(
            payments=payments,
            transactions=transactions,
            users=users,
            accounts=adapters.accounts,
            alerts=alerts,
            outbox=adapters.outbox,
            uow=uow,
        )
        self.checkout = CreateCheckoutHandler(
            users=users,
            transactions=transactions,
            provider=provider,
            offer=OFFER,
            idempotency=adapters.idempotency,
            uow=uow,
        )
        verdicts = Verdicts(events=events, alerts=alerts)
        self.receive = ReceiveWebhookHandler(events=events, books=self.books, verdicts=verdicts, uow=uow)
        reconciliation = Reconciliation(
            transactions=transactions,
            provider=provider,
            books=self.books,
            verdicts=verdicts,
            every=EVERY,
            uow=uow,
        )
        self.reconcile = ReconcilePurchaseHandler(reconciliation=reconciliation)
        self.reconcile_all = ReconcilePurchasesHandler(
            transactions=transactions, reconciliation=reconciliation, audit=adapters.audit, uow=uow
        )
        self.refund = RefundPurchaseHandler(
            transactions=transactions,
            payments=payments,
            provider=provider,
            books=self.books,
            idempotency=adapters.idempotency,
            audit=adapters.audit,
            uow=uow,
        )
        self.release = ReleasePaymentHandler(
            events=events,
            payments=payments,
            transactions=transactions,
            books=self.books,
            audit=adapters.audit,
            uow=uow,
        )
        self.replay = ReplayEventHandler(events=events, books=self.books, audit=adapters.audit, uow=uow)

    async def hear(self, event: PaymentEvent) -> None:
        """Have the provider's webhook delivered."""
        await self.receive(ReceiveWebhook(event), DODO)
