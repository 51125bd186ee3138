"""The log of each try-on, written by the transaction that moves it."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from infrastructure.database.transaction import Transaction
from infrastructure.database.try_ons import StatusChange

# The row of each try-on is locked by this transaction, or new: nobody else can take the same numbers.
_WRITE = """
INSERT INTO image_events (image_id, id, view, status, error)
SELECT fresh.image_id,
    fresh.place + coalesce((SELECT max(known.id) FROM image_events AS known WHERE known.image_id = fresh.image_id), 0),
    fresh.view, fresh.status, fresh.error
FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[])
    AS fresh(image_id, place, view, status, error)
RETURNING image_id, (SELECT user_id FROM images WHERE images.id = image_events.image_id) AS user_id
"""


class LogGrown(Struct, frozen=True):
    """That the log of a customer's try-on has grown; the log itself says what happened."""

    user_id: int
    image_id: int


class ProgressBell(Protocol):
    """Wakes who watches. It may fail silently: they look by the clock as well."""

    def ring(self, grown: Sequence[LogGrown]) -> None:
        """Tell every process, without waiting."""
        ...


class ProgressLog:
    """Adds to the log which statuses changed: the views' changes first, then each try-on's own, once, as it stands."""

    def __init__(self, transaction: Transaction, bell: ProgressBell) -> None:
        self._transaction = transaction
        self._bell = bell

    async def write(self, noted: Sequence[StatusChange]) -> list[LogGrown]:
        """Insert what was noted, in one statement; returns whose logs have grown."""
        if not noted:
            return []
        own = {change.image_id: change for change in noted if change.view is None}
        changes = [*(change for change in noted if change.view is not None), *own.values()]
        counted: Counter[int] = Counter()
        places = []
        for change in changes:
            counted[change.image_id] += 1
            places.append(counted[change.image_id])
        written = await self._transaction.fetch(
            _WRITE,
            [change.image_id for change in changes],
            places,
            [change.view for change in changes],
            [change.status for change in changes],
            [change.error for change in changes],
        )
        return list(dict.fromkeys(LogGrown(row["user_id"], row["image_id"]) for row in written))

    def announce(self, grown: Sequence[LogGrown]) -> None:
        if grown:
            self._bell.ring(grown)
