"""What is to be done, as operators look at it."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from domain.views import Status


class Backlog(Struct, frozen=True, kw_only=True):
    """What the database knows of work that is under way."""

    views_pending: int
    views_processing: int
    views_without_prediction: int
    """Of both: those that wait for a worker, for their front or for the gate."""
    predictions_in_flight: int
    """Of both: those that the provider renders."""
    outputs_to_store: int
    """Of both: those whose prediction has ended."""
    views_overdue: int
    """Of both: those past their deadline, which a worker that runs would have ended."""
    views_of_last_hour: dict[Status, int]
    """Accepted within it, by how they stand."""
    outbox_due: int
    """Announced and not done, those included that are tried again."""
    outbox_scheduled: int
    """Announced for later."""
    outbox_oldest_seconds: float | None
    """How long ago the oldest of those that are due was announced."""
    gate_closed_until: datetime | None
    """The provider is not asked before; None while the gate is open."""
    gate_reason: str | None

    @property
    def is_empty(self) -> bool:
        """Nothing is open but what was announced for later, which waits for its time in the database."""
        return self.views_open + self.outbox_due == 0

    @property
    def views_open(self) -> int:
        """Those that hold somebody's credits."""
        return self.views_pending + self.views_processing


class BacklogReader(Protocol):
    async def backlog(self) -> Backlog: ...

    async def open_images(self, *, after: int, limit: int) -> list[int]:
        """Ids above `after` of try-ons with a view in progress, in their order."""
        ...


class Bell(Protocol):
    async def answers(self) -> bool:
        """Whether workers can be told at once that there is something to do; otherwise they look by the clock."""
        ...
