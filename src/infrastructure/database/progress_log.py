"""The log of each try-on, written by the transaction that moves it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from msgspec import Struct
from sqlalchemy import event, inspect, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from domain.images import GeneratedImage
from domain.views import Status, View, ViewError, ViewRender

_NOTES = "progress"

# The row of each try-on is locked by this transaction, or new: nobody else can take the same numbers.
_WRITE = text("""
INSERT INTO image_events (image_id, id, view, status, error)
SELECT fresh.image_id,
    fresh.place + coalesce((SELECT max(known.id) FROM image_events AS known WHERE known.image_id = fresh.image_id), 0),
    fresh.view, fresh.status, fresh.error
FROM unnest(
    CAST(:images AS bigint[]), CAST(:places AS integer[]),
    CAST(:views AS text[]), CAST(:statuses AS text[]), CAST(:errors AS text[])
) AS fresh(image_id, place, view, status, error)
RETURNING image_id, (SELECT user_id FROM images WHERE images.id = image_events.image_id) AS user_id
""")


class LogGrown(Struct, frozen=True):
    """That the log of a customer's try-on has grown; the log itself says what happened."""

    user_id: int
    image_id: int


class ProgressBell(Protocol):
    """Wakes who watches. It may fail silently: they look by the clock as well."""

    def ring(self, grown: Sequence[LogGrown]) -> None:
        """Tell every process, without waiting."""
        ...


class StatusChange(Struct, frozen=True):
    """A status as it was written: a view's, or, without one, the try-on's own."""

    image_id: int
    view: View | None
    status: Status
    error: ViewError | None


class NotingSession(Session):
    """Notes every change of a status that it writes, whoever made it, so that none can go untold."""

    @property
    def changes(self) -> list[StatusChange]:
        changes: list[StatusChange] = self.info.setdefault(_NOTES, [])
        return changes


@event.listens_for(NotingSession, "after_flush")
def _note(session: NotingSession, _: object) -> None:
    # After a flush new rows have their ids, and the session still knows what each attribute was before.
    session.changes.extend(_changes(session))


def _changes(session: Session) -> Iterator[StatusChange]:
    for entity in session.new | session.dirty:
        if not isinstance(entity, GeneratedImage | ViewRender):
            continue
        if entity not in session.new and not inspect(entity).attrs.status.history.has_changes():
            continue
        if isinstance(entity, GeneratedImage):
            error = entity.front.error if entity.status is Status.FAILED else None
            yield StatusChange(entity.id, None, entity.status, error)
        else:
            error = entity.error if entity.status is Status.FAILED else None
            yield StatusChange(entity.image_id, entity.view, entity.status, error)


class ProgressLog:
    """Adds to the log what a session noted: the views' changes first, then each try-on's own, once, as it stands."""

    def __init__(self, session: AsyncSession, bell: ProgressBell) -> None:
        self._session = session
        self._bell = bell

    async def write(self) -> list[LogGrown]:
        """Insert what was noted, in one statement; returns whose logs have grown."""
        changes = self._take()
        if not changes:
            return []
        counted: Counter[int] = Counter()
        places = []
        for change in changes:
            counted[change.image_id] += 1
            places.append(counted[change.image_id])
        columns = {
            "images": [change.image_id for change in changes],
            "places": places,
            "views": [change.view for change in changes],
            "statuses": [change.status for change in changes],
            "errors": [change.error for change in changes],
        }
        written = await self._session.execute(_WRITE, columns)
        return list(dict.fromkeys(LogGrown(row.user_id, row.image_id) for row in written))

    def clear(self) -> None:
        self._session.info.pop(_NOTES, None)

    def announce(self, grown: Sequence[LogGrown]) -> None:
        if grown:
            self._bell.ring(grown)

    def _take(self) -> list[StatusChange]:
        noted: list[StatusChange] = self._session.info.pop(_NOTES, [])
        own = {change.image_id: change for change in noted if change.view is None}
        return [*(change for change in noted if change.view is not None), *own.values()]
