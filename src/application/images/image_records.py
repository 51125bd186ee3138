"""Try-ons as operators read them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from domain.credits import HoldStatus
from domain.errors import NotFound
from domain.identifiers import can_be_id
from domain.views import Status, View, ViewError


class ViewEntry(Struct, frozen=True, kw_only=True):
    view: View
    status: Status
    error: ViewError | None
    """Of a failed view its cause; of an open one the last thing that went wrong."""


class ViewDetails(ViewEntry, frozen=True, kw_only=True):
    id: int
    round: int
    attempt: int
    """Counts on over all rounds."""
    hold: HoldStatus | None
    """Of the present round; None for a view that another try-on lent."""
    prediction_id: str | None
    output_url: str | None
    accepted_at: datetime
    due_at: datetime
    """Not before this time does a worker take it up."""
    lease_until: datetime | None
    """A worker has it until then."""
    expires_at: datetime | None
    """The provider's time for it is up then."""
    deadline_at: datetime
    finished_at: datetime | None


class ImageEntry(Struct, frozen=True, kw_only=True):
    """A try-on as operators' lists show it."""

    id: int
    user_id: int
    email: str
    style_id: int
    style_name: str
    status: Status
    views: Sequence[ViewEntry]
    created_at: datetime
    deleted_at: datetime | None


class ImageEvent(Struct, frozen=True):
    """A line of a try-on's log."""

    view: View | None
    """None: the try-on itself."""
    status: Status
    error: ViewError | None
    at: datetime


class ImageDetails(ImageEntry, frozen=True, kw_only=True):
    views: Sequence[ViewDetails]
    prompt_version: int
    is_favourite: bool
    input_image_url: str | None
    log: Sequence[ImageEvent]


class ImageFilter(Struct, frozen=True):
    """Which try-ons to show; None is no condition."""

    user_id: int | None = None
    style_id: int | None = None
    status: Status | None = None
    is_deleted: bool = False


class ImageRecords(Protocol):
    """Everybody's try-ons."""

    async def images(self, *, before: int | None, limit: int, only: ImageFilter) -> list[ImageEntry]:
        """Try-ons with an id below `before` that the filter lets through, newest first."""
        ...

    async def image(self, image_id: int) -> ImageDetails | None: ...


async def read_image(records: ImageRecords, image_id: int) -> ImageDetails:
    """The try-on, whosever it is, or `NotFound` (`image_not_found`)."""
    image = await records.image(image_id) if can_be_id(image_id) else None
    if image is None:
        raise NotFound("image_not_found", "There is no such image.")
    return image
