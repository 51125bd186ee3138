"""The log of a try-on, as its owner watches it, and the signals that say when to look."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from domain.views import Status, View, ViewError


class ProgressItem(Struct, frozen=True, kw_only=True):
    """What happened. Queue position and seconds to go are those of the whole try-on when the event is read."""

    image_id: int
    view: View | None
    """None: the try-on itself."""
    status: Status
    url: str | None
    """Of the finished view, or of a finished try-on's front."""
    error: ViewError | None
    queue_position: int | None
    eta_seconds: float | None
    at: datetime


class ProgressEvent(Struct, frozen=True):
    id: int
    """From 1 on for each try-on, without gaps."""
    event: Literal["view", "image"]
    data: ProgressItem


class ImageLog(Struct, frozen=True):
    """What a look at one try-on's log brings."""

    events: list[ProgressEvent]
    ended: bool
    """Nothing will follow, unless its owner begins another round."""


class ProgressReader(Protocol):
    async def of_image(self, image_id: int, *, owner: int, after: int) -> ImageLog | None:
        """Events with an id above `after`; None when the try-on is not there or not the owner's."""
        ...

    async def latest(self, owner: int) -> dict[int, int]:
        """The id of the last event of each of the owner's try-ons."""
        ...

    async def of_owner(
        self, owner: int, *, seen: Mapping[int, int], only: Collection[int] | None
    ) -> list[ProgressEvent]:
        """Events that come after those seen, in the order of the try-ons and of each one's log.

        `only` names the try-ons to look at; None looks at all.
        """
        ...


class News(Struct, frozen=True):
    """What there is to look at: nothing, some try-ons, or everything, for something may have been missed."""

    images: frozenset[int] = frozenset()
    everything: bool = False

    def __or__(self, other: "News") -> "News":
        return News(self.images | other.images, self.everything or other.everything)

    def concerns(self, image_id: int) -> bool:
        return self.everything or image_id in self.images


class GoingAway(Exception):  # noqa: N818 - a state of the process
    """The process is about to end: its streams shall end too, and be opened again at another."""


class Listening(Protocol):
    async def news(self, patience: float) -> News:
        """What came since the last call, as soon as there is something; nothing after so many seconds.

        News may be late or be told twice, but is not lost. Raises `GoingAway`.
        """
        ...


class ProgressSignals(Protocol):
    def listen(self, user_id: int) -> AbstractContextManager[Listening]:
        """Hear of the customer's try-ons from now on, for one stream; holds no connection of its own.

        Raises `Throttled` (`rate_limited`) when the customer has too many streams, `Unavailable`
        (`service_unavailable`) when this process is about to end.
        """
        ...
