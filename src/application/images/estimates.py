"""How long a try-on will take yet, by what the latest ones took."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from domain.views import View


class ViewTimes(Struct, frozen=True):
    """What an estimate needs to know of a view."""

    view: View
    is_open: bool
    accepted_at: datetime
    finished_at: datetime | None


class Pace(Struct, frozen=True):
    """Seconds that the latest renders of one view took: a front from its acceptance on, a side from when it could."""

    median: float
    p90: float
    """Nine of ten took no longer."""

    def remaining(self, elapsed: float) -> float | None:
        """Seconds; the slower half is measured by the slowest of ten. None when it is slower than even that."""
        expected = self.median if elapsed < self.median else self.p90
        return expected - elapsed if elapsed < expected else None


class Paces(Struct, frozen=True):
    """Of each view that has a history. Without any there are no estimates, and none while the provider is down."""

    by_view: Mapping[View, Pace] = {}

    def eta(self, views: Sequence[ViewTimes], now: datetime) -> float | None:
        """Seconds until all views of a try-on have ended; None when nobody can honestly say, or none is open."""
        front = next((view for view in views if view.view is View.FRONT), None)
        if front is None:
            return None
        return _longest([self._remaining(view, front, now) for view in views if view.is_open])

    def _remaining(self, view: ViewTimes, front: ViewTimes, now: datetime) -> float | None:
        pace = self.by_view.get(view.view)
        if pace is None:
            return None
        if view is not front and front.is_open:
            until_front = self._remaining(front, front, now)
            return None if until_front is None else until_front + pace.median
        could_start = view.accepted_at
        if view is not front and front.finished_at is not None:
            could_start = max(could_start, front.finished_at)
        return pace.remaining((now - could_start).total_seconds())


class Estimates(Protocol):
    async def paces(self) -> Paces:
        """A few seconds old at most; asking costs a query every few seconds, however many ask."""
        ...


def _longest(seconds: Sequence[float | None]) -> float | None:
    known = [each for each in seconds if each is not None]
    return round(max(known), 1) if known and len(known) == len(seconds) else None
