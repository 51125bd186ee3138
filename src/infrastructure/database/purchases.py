"""Purchases, payments and the provider's events, as handlers load and keep them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Select, func, null, or_, select, union, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import selectinload

from application.payments.ports import (
    DisputeReport,
    Finding,
    KeptEvent,
    PaymentEvent,
    PaymentEvents,
    PaymentNews,
    PaymentRepository,
    PurchasesDue,
    ReconcileEvery,
    RefundReport,
    Report,
    TransactionRepository,
    Verdict,
)
from domain.payments import Payment
from domain.transactions import UNPAID, Transaction
from infrastructure.database.tables import payment_events, payments, transactions, users


class SqlTransactions(TransactionRepository):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, transaction: Transaction) -> None:
        self._session.add(transaction)
        await self._session.flush()

    async def claim(self, transaction_id: int) -> Transaction | None:
        return await self._locked(transactions.c.id == transaction_id)

    async def claim_by_session(self, session_id: str) -> Transaction | None:
        return await self._locked(transactions.c.session_id == session_id)

    async def unpaid(self, owner: int, *, since: datetime) -> int:
        ordered = (transactions.c.user_id == owner, transactions.c.created_at > since)
        unpaid = select(func.count()).where(*ordered, transactions.c.status.in_(UNPAID))
        return await self._session.scalar(unpaid) or 0

    async def open(self) -> Sequence[int]:
        worth_asking = select(transactions.c.id).where(transactions.c.ask_at.is_not(None))
        return (await self._session.scalars(worth_asking.order_by(transactions.c.id))).all()

    async def _locked(self, condition: ColumnElement[bool]) -> Transaction | None:
        # What was decided so far is written first, so that reading the row anew does not undo it.
        await self._session.flush()
        locked = select(Transaction).where(condition).with_for_update()
        return await self._session.scalar(locked.execution_options(populate_existing=True))


class SqlPayments(PaymentRepository):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, payment_id: str) -> Payment:
        await self._session.flush()
        heard_of = upsert(payments).values(id=payment_id, heard_at=func.now())
        await self._session.execute(heard_of.on_conflict_do_nothing(index_elements=["id"]))
        locked = select(Payment).where(payments.c.id == payment_id).options(selectinload("*")).with_for_update()
        found = await self._session.scalars(locked.execution_options(populate_existing=True))
        return found.one()


class SqlPaymentEvents(PaymentEvents):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, event: PaymentEvent) -> int | None:
        kept = (
            upsert(payment_events)
            .values(
                webhook_id=event.webhook_id,
                type=event.type,
                payment_id=_payment_of(event.report),
                report=msgspec.to_builtins(event.report),
                readable=event.readable,
                body=event.body,
                verdict=Verdict.IGNORED,
                received_at=func.now(),
            )
            .on_conflict_do_nothing(index_elements=["webhook_id"])
        )
        event_id: int | None = await self._session.scalar(kept.returning(payment_events.c.id))
        return event_id

    async def settle(self, event_id: int, finding: Finding) -> None:
        event = update(payment_events).where(payment_events.c.id == event_id)
        found = event.values(verdict=finding.verdict, reason=finding.reason, transaction_id=finding.transaction_id)
        await self._session.execute(found)
        if finding.verdict is Verdict.IGNORED:
            # Nothing follows from it, and whom it is about nobody could tell.
            await self._session.execute(event.values(body=null()))
        payment = select(payment_events.c.payment_id).where(payment_events.c.id == event_id)
        named = union(
            select(payment_events.c.transaction_id).where(
                or_(payment_events.c.id == event_id, payment_events.c.payment_id.in_(payment))
            ),
            select(payments.c.transaction_id).where(payments.c.id.in_(payment)),
        )
        erased = select(transactions.c.id).join(users, users.c.id == transactions.c.user_id)
        erased = erased.where(transactions.c.id.in_(named), users.c.deleted_at.is_not(None))
        await forget_payers(self._session, erased)

    async def claim(self, event_id: int) -> KeptEvent | None:
        locked = select(payment_events).where(payment_events.c.id == event_id).with_for_update()
        row = (await self._session.execute(locked)).one_or_none()
        if row is None:
            return None
        return KeptEvent(row.id, row.type, Verdict(row.verdict), read_report(row.report), row.transaction_id)


class SqlPurchasesDue(PurchasesDue):
    """In a transaction of its own: what was taken is due again by itself, should whoever took it die."""

    def __init__(self, engine: AsyncEngine, every: ReconcileEvery) -> None:
        self._engine = engine
        self._every = every.interval

    async def take(self, limit: int) -> Sequence[int]:
        due = (
            select(transactions.c.id)
            .where(transactions.c.ask_at <= func.now())
            .order_by(transactions.c.ask_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
            .prefix_with("MATERIALIZED")
        )
        taken = (
            update(transactions).where(transactions.c.id.in_(select(due.c.id))).values(ask_at=func.now() + self._every)
        )
        async with self._engine.begin() as connection:
            return (await connection.scalars(taken.returning(transactions.c.id))).all()


async def forget_payers(session: AsyncSession, purchases: Select[tuple[int]]) -> None:
    """Drop the bodies of events about these purchases, or about a payment that was ever named with one of them.

    What somebody works on is left to them, so that nobody waits here: whoever settles an event comes by here too.
    """
    named = union(
        select(payments.c.id).where(payments.c.transaction_id.in_(purchases)),
        select(payment_events.c.payment_id).where(payment_events.c.transaction_id.in_(purchases)),
    )
    told = or_(payment_events.c.transaction_id.in_(purchases), payment_events.c.payment_id.in_(named))
    free = select(payment_events.c.id).where(told, payment_events.c.body.is_not(None))
    some = free.with_for_update(skip_locked=True).cte("some").prefix_with("MATERIALIZED")
    await session.execute(update(payment_events).where(payment_events.c.id.in_(select(some.c.id))).values(body=null()))


def read_report(kept: object) -> Report | None:
    return msgspec.convert(kept, Report | None)  # type: ignore[no-any-return]


def _payment_of(report: Report | None) -> str | None:
    match report:
        case PaymentNews():
            return report.payment.payment_id
        case RefundReport() | DisputeReport():
            return report.payment_id
        case None:
            return None
