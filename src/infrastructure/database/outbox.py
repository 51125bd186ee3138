"""The outbox: what a transaction announced, kept until a worker has done it."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

import msgspec

from application.events import Event
from application.ports import Outbox
from infrastructure.database.transaction import Transaction, WritePool
from infrastructure.origins import Origin, read_origin

_ANNOUNCE = """
INSERT INTO outbox (job, payload, due_at, origin)
SELECT job, payload::jsonb, greatest(not_before, now()), $4::text::jsonb
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS pending(job, payload, not_before, place)
ORDER BY place
RETURNING due_at <= now() AS is_due
"""

# Nobody waits for a row here: whoever has it locked takes it or strikes it out, and if it comes once more, its work is
# found done. What is taken is due again in 5 seconds, then after 30, doubling to 16 minutes: its worker may be gone.
# Without an end the power would overflow, and nothing could be taken any more. Materialized: a planner may run a
# subquery once for each row that it joins, each time with the next `LIMIT`.
_EXCHANGE = """
WITH done AS (
    DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE id = ANY($1::bigint[]) FOR UPDATE SKIP LOCKED)
), due AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE due_at <= now() AND id <> ALL($1::bigint[] || $4::bigint[]) AND job = ANY($3::text[])
    ORDER BY due_at, id LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox
SET deliveries = deliveries + 1, due_at = now() + CASE deliveries
    WHEN 0 THEN interval '5 seconds' ELSE interval '30 seconds' * power(2, least(deliveries - 1, 5)) END
WHERE id IN (SELECT id FROM due)
RETURNING id, job, payload, origin
"""


class Doorbell(Protocol):
    """Wakes a worker to look into the outbox. It may fail silently: workers look by the clock as well."""

    def ring(self) -> None:
        """Say that something is due, without waiting."""
        ...


class Delivery(msgspec.Struct, frozen=True):
    """An outbox row that a worker has taken."""

    id: int
    job: str
    payload: dict[str, object]
    origin: Origin


class SqlOutbox(Outbox):
    """Collects a transaction's events; the unit of work writes them with its commit."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._pending: list[tuple[Event, datetime | None]] = []

    def add(self, event: Event, *, not_before: datetime | None = None) -> None:
        self._pending.append((event, not_before))

    def clear(self) -> None:
        self._pending = []

    async def write(self, origin: str | None) -> bool:
        """Insert the pending events, with where they come from; tells whether any of them is due at once."""
        pending, self._pending = self._pending, []
        if not pending:
            return False
        written = await self._transaction.fetch(
            _ANNOUNCE,
            [event.job for event, _ in pending],
            [msgspec.json.encode(event).decode() for event, _ in pending],
            [not_before for _, not_before in pending],
            origin,
        )
        return any(row["is_due"] for row in written)


class OutboxQueue:
    """The workers' side of the outbox."""

    def __init__(self, pool: WritePool) -> None:
        self._pool = pool

    async def exchange(
        self, done: Collection[int], limit: int, jobs: Collection[str], *, besides: Collection[int] = ()
    ) -> list[Delivery]:
        """Strike out rows that are done, and take up to `limit` of these jobs that are due, in one statement.

        Those `besides` are left alone: they are under way. What is taken, nobody else can take for the next seconds; if
        it is not struck out, it comes again, more and more slowly.
        """
        rows = await self._pool.fetch(_EXCHANGE, list(done), limit, list(jobs), list(besides))
        taken = [
            Delivery(row["id"], row["job"], msgspec.json.decode(row["payload"]), read_origin(row["origin"]))
            for row in rows
        ]
        return sorted(taken, key=lambda delivery: delivery.id)
