"""The outbox: what a transaction announced, kept until a worker has done it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from sqlalchemy import DateTime, bindparam, case, delete, func, insert, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from application.events import Event
from application.ports import Outbox
from infrastructure.database.tables import outbox

BELL_GRACE = text("interval '5 seconds'")
"""For the bell that is rung right after the commit; after it, the relay rings."""
_REDELIVERY_SECONDS = 30
_DOUBLINGS = 5
"""After so many, a row is due again every 16 minutes. Without an end the power would overflow, and stop the relay."""


class Doorbell(Protocol):
    """Wakes a worker for outbox rows. It may fail silently: the relay rings again."""

    def ring(self, rows: Sequence[tuple[int, int]]) -> None:
        """Announce rows by id and delivery number, without waiting."""
        ...


class Delivery(msgspec.Struct, frozen=True):
    job: str
    payload: dict[str, object]


class SqlOutbox(Outbox):
    """Collects a transaction's events; the unit of work writes them with its commit."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._pending: list[tuple[Event, datetime | None]] = []

    def add(self, event: Event, *, not_before: datetime | None = None) -> None:
        self._pending.append((event, not_before))

    def clear(self) -> None:
        self._pending = []

    async def write(self) -> list[tuple[int, int]]:
        """Insert the pending events; returns the rows that are due at once."""
        pending, self._pending = self._pending, []
        due = []
        for event, not_before in pending:
            later = literal(not_before, DateTime(timezone=True))
            waits = later > func.now()
            row = insert(outbox).values(
                job=event.job,
                payload=msgspec.to_builtins(event),
                due_at=case((waits, later), else_=func.now() + BELL_GRACE),
            )
            row_id, must_wait = (await self._session.execute(row.returning(outbox.c.id, waits))).one()
            if not must_wait:
                due.append((row_id, 0))
        return due


class OutboxRelay:
    """What the worker does with outbox rows, each call in a transaction of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take_due(self, limit: int) -> list[tuple[int, int]]:
        """Rows that nobody has done in time, with their delivery number; each is due again later, more slowly."""
        # Materialized: a planner may run a subquery once for each row that it joins, each time with the next `limit`.
        due = (
            select(outbox.c.id)
            .where(outbox.c.due_at <= func.now())
            .order_by(outbox.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
            .prefix_with("MATERIALIZED")
        )
        again = _REDELIVERY_SECONDS * func.power(2, func.least(outbox.c.deliveries, _DOUBLINGS))
        taken = (
            update(outbox)
            .where(outbox.c.id.in_(select(due.c.id)))
            .values(deliveries=outbox.c.deliveries + 1, due_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, again))
            .returning(outbox.c.id, outbox.c.deliveries)
        )
        async with self._engine.begin() as connection:
            return [(row.id, row.deliveries) for row in await connection.execute(taken)]

    async def put_back(self, rows: Sequence[tuple[int, int]]) -> None:
        """The bell could not be rung: the rows are due again in a second, as if they had not been taken."""
        async with self._engine.begin() as connection:
            ids = [row_id for row_id, _ in rows]
            soon = func.now() + text("interval '1 second'")
            back = update(outbox).where(outbox.c.id.in_(ids))
            await connection.execute(back.values(due_at=soon, deliveries=outbox.c.deliveries - 1))

    async def delivery(self, row_id: int) -> Delivery | None:
        """What a row announces; None when it has been done."""
        async with self._engine.connect() as connection:
            found = await connection.execute(select(outbox.c.job, outbox.c.payload).where(outbox.c.id == row_id))
            row = found.one_or_none()
        return Delivery(row.job, row.payload) if row else None

    async def done(self, row_id: int) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(outbox).where(outbox.c.id == bindparam("row")), {"row": row_id})
