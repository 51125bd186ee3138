"""How things stand in the database, which is the same whoever asks: counted there, not by a process."""

import asyncio
import time
from collections.abc import Callable

import structlog

from application.queue.ports import Backlog, BacklogReader
from domain.views import ViewError
from infrastructure.database.engine import ReadPool
from infrastructure.database.model_gate import UNPAID
from infrastructure.metrics.series import Family, Sample

log = structlog.get_logger()

FRESH_SECONDS = 5.0
"""All who ask within this time get one answer."""
_PATIENCE_SECONDS = 3.0
"""Whoever scrapes has some ten seconds for all of it."""

# Along the index of those in quarantine.
_QUARANTINED = "SELECT count(*) FROM payment_events WHERE verdict = 'quarantined'"

_AMOUNTS: tuple[tuple[str, str, Callable[[Backlog], float]], ...] = (
    (
        "views_without_prediction",
        "Of the open views, those that wait for a worker.",
        lambda b: b.views_without_prediction,
    ),
    ("predictions_in_flight", "Of the open views, those that the provider renders.", lambda b: b.predictions_in_flight),
    ("outputs_to_store", "Of the open views, those whose prediction has ended.", lambda b: b.outputs_to_store),
    ("views_overdue", "Of the open views, those past their deadline.", lambda b: b.views_overdue),
    ("outbox_due", "Announced, due, and not done.", lambda b: b.outbox_due),
    ("outbox_scheduled", "Announced for later.", lambda b: b.outbox_scheduled),
    (
        "outbox_oldest_seconds",
        "How long ago the oldest of what is due was announced; 0 when nothing is.",
        lambda b: b.outbox_oldest_seconds or 0,
    ),
)


class Standing:
    def __init__(self, backlogs: BacklogReader, pool: ReadPool, *, now: Callable[[], float] = time.monotonic) -> None:
        self._backlogs = backlogs
        self._pool = pool
        self._now = now
        self._asking: asyncio.Task[list[Family]] | None = None
        self._stale_at = 0.0

    async def families(self) -> list[Family]:
        """As it stood some seconds ago at most; while the database is away, only that it is not known."""
        if self._asking is None or (self._asking.done() and self._now() >= self._stale_at):
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> list[Family]:
        known = "Whether the database told how things stand."
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                backlog = await self._backlogs.backlog()
                ((quarantined,),) = await self._pool.fetch(_QUARANTINED)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the rest is to be told all the same
            log.warning("standing_not_known", reason=type(failure).__name__)
            return [_gauge("database_known", known, 0)]
        finally:
            self._stale_at = self._now() + FRESH_SECONDS
        return [
            _gauge("database_known", known, 1),
            _gauge("payments_quarantined", "Events of payments that an operator is to look at.", quarantined),
            *(_gauge(name, documentation, amount(backlog)) for name, documentation, amount in _AMOUNTS),
            _labelled(
                "views_open",
                "Views that have not ended.",
                "status",
                {"pending": backlog.views_pending, "processing": backlog.views_processing},
            ),
            _labelled(
                "model_gate_closed",
                "1 while the image model is not asked, for this reason.",
                "reason",
                {
                    reason: int(backlog.gate_closed_until is not None and backlog.gate_reason == reason)
                    for reason in (ViewError.PROVIDER_UNAVAILABLE.value, UNPAID)
                },
            ),
        ]


def _gauge(name: str, documentation: str, value: float) -> Family:
    return Family(f"hairtryon_{name}", documentation, "gauge", [Sample(f"hairtryon_{name}", {}, value)])


def _labelled(name: str, documentation: str, label: str, values: dict[str, int]) -> Family:
    full = f"hairtryon_{name}"
    return Family(full, documentation, "gauge", [Sample(full, {label: key}, value) for key, value in values.items()])
