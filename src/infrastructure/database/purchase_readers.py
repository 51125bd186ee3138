"""How purchases are read: columns straight into the answer, no entities."""

from typing import Any

import msgspec
from asyncpg import Record

from application.payments.ports import TransactionItem, TransactionReader, Verdict
from application.payments.records import (
    DisputeRecord,
    EventItem,
    EventRecord,
    PurchaseFilter,
    PurchaseRecords,
    PurchaseStory,
    RefundRecord,
    TransactionRecord,
)
from domain.identifiers import LARGEST_ID
from domain.payments import DisputeState, RefundStatus
from domain.transactions import Mismatch, TransactionStatus
from infrastructure.database.engine import ReadPool
from infrastructure.database.purchases import read_report

_ITEM = """
    transactions.id, session_id, payment_id, amount, currency, transactions.credits AS credits_purchased, status,
    payment_method, transactions.created_at
"""
_EVENT = "id, webhook_id, type, verdict, reason, payment_id, transaction_id, received_at"


class SqlTransactionReader(TransactionReader):
    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[TransactionItem]:
        rows = await self._pool.fetch(
            f"SELECT {_ITEM} FROM transactions WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",  # noqa: S608
            owner,
            LARGEST_ID if before is None else before,
            limit,
        )
        return [TransactionItem(**_with_status(row)) for row in rows]

    async def own(self, transaction_id: int, *, owner: int) -> TransactionItem | None:
        row = await self._pool.fetchrow(
            f"SELECT {_ITEM} FROM transactions WHERE user_id = $1 AND id = $2",  # noqa: S608
            owner,
            transaction_id,
        )
        return TransactionItem(**_with_status(row)) if row else None


class SqlPurchaseRecords(PurchaseRecords):
    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def latest(self, wanted: PurchaseFilter, *, before: int | None, limit: int) -> list[TransactionRecord]:
        rows = await self._pool.fetch(
            f"""
            SELECT {_ITEM}, user_id, email FROM transactions JOIN users ON users.id = user_id
            WHERE transactions.id < $1 AND ($2::text IS NULL OR status = $2) AND ($3::bigint IS NULL OR user_id = $3)
            ORDER BY transactions.id DESC LIMIT $4
            """,  # noqa: S608
            LARGEST_ID if before is None else before,
            wanted.status,
            wanted.user_id,
            limit,
        )
        return [TransactionRecord(**_with_status(row)) for row in rows]

    async def story(self, transaction_id: int) -> PurchaseStory | None:
        row = await self._pool.fetchrow(
            f"""
            SELECT {_ITEM}, user_id, email FROM transactions JOIN users ON users.id = user_id
            WHERE transactions.id = $1
            """,  # noqa: S608
            transaction_id,
        )
        if row is None:
            return None
        payment = await self._pool.fetchrow(
            "SELECT id, granted, taken, frozen FROM payments WHERE transaction_id = $1", transaction_id
        )
        payment_id = payment["id"] if payment else None
        refunds = await self._pool.fetch(
            "SELECT id, amount, currency, status, noted_at FROM refunds WHERE payment_id = $1 ORDER BY noted_at",
            payment_id,
        )
        disputes = await self._pool.fetch(
            "SELECT id, amount, currency, state, noted_at FROM disputes WHERE payment_id = $1 ORDER BY noted_at",
            payment_id,
        )
        events = await self._pool.fetch(
            f"SELECT {_EVENT} FROM payment_events WHERE transaction_id = $1 OR payment_id = $2 ORDER BY id",  # noqa: S608
            transaction_id,
            payment_id,
        )
        return PurchaseStory(
            transaction=TransactionRecord(**_with_status(row)),
            granted=payment["granted"] if payment else 0,
            taken=payment["taken"] if payment else 0,
            frozen=payment["frozen"] if payment else 0,
            refunds=[RefundRecord(**{**refund, "status": RefundStatus(refund["status"])}) for refund in refunds],
            disputes=[DisputeRecord(**{**dispute, "state": DisputeState(dispute["state"])}) for dispute in disputes],
            events=[EventItem(**_with_verdict(event)) for event in events],
        )

    async def events(self, *, quarantined: bool, before: int | None, limit: int) -> list[EventItem]:
        only = "AND verdict = 'quarantined'" if quarantined else ""
        rows = await self._pool.fetch(
            f"SELECT {_EVENT} FROM payment_events WHERE id < $1 {only} ORDER BY id DESC LIMIT $2",  # noqa: S608
            LARGEST_ID if before is None else before,
            limit,
        )
        return [EventItem(**_with_verdict(row)) for row in rows]

    async def event(self, event_id: int) -> EventRecord | None:
        row = await self._pool.fetchrow(
            f"SELECT {_EVENT}, report, body FROM payment_events WHERE id = $1",  # noqa: S608
            event_id,
        )
        if row is None:
            return None
        report = msgspec.json.decode(row["report"]) if row["report"] else None
        body = row["body"].decode("utf-8", "backslashreplace") if row["body"] is not None else None
        return EventRecord(**{**_with_verdict(row), "report": read_report(report), "body": body})


def _with_status(row: Record) -> dict[str, Any]:
    return {**row, "status": TransactionStatus(row["status"])}


def _with_verdict(row: Record) -> dict[str, Any]:
    reason = Mismatch(row["reason"]) if row["reason"] else None
    return {**row, "verdict": Verdict(row["verdict"]), "reason": reason}
