"""What the try-on use cases need from outside: records, storage, the image processor and the image model."""

import re
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated, Protocol

from msgspec import Meta, Struct, json

from domain.images import GeneratedImage
from domain.renders import ViewRender
from domain.views import Status, View, ViewError

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""In JSON; an even number of backslashes before it are backslashes themselves."""


class ImageRepository(Protocol):
    async def by_id(self, image_id: int) -> GeneratedImage | None:
        """The try-on, as stored now and kept to this transaction until it ends."""
        ...

    async def own(self, image_id: int, *, owner: int) -> GeneratedImage | None:
        """As `by_id`, unless it is deleted or somebody else's."""
        ...

    async def cancellations(self, owner: int, *, since: datetime) -> int:
        """How often this customer has cancelled what a worker had begun, views of one try-on at once counting once.

        What an operator cancelled for them does not count.
        To be asked with the try-on kept; whoever else counts for the same customer waits until this transaction ends.
        """
        ...

    async def claim(self, view_id: int) -> tuple[GeneratedImage, ViewRender] | None:
        """The try-on that a view belongs to, as stored now and kept to this transaction until it ends."""
        ...

    async def shown_outputs(self, keys: Collection[str], *, owner: int) -> set[str]:
        """Those of these outputs that a try-on of the owner shows which is not deleted."""
        ...


class Leases(Protocol):
    def held(self, view_id: int, claim: int) -> AbstractAsyncContextManager[None]:
        """Keep a claimed view for as long as the work on it takes.

        A worker that is killed or stands still keeps nothing: its lease runs out, and another takes over.
        """
        ...


class RenderOrder(Struct, frozen=True):
    """What rendering a view takes, beside the view itself."""

    prompt: str
    input_key: str
    """The customer's photo for the front, the finished front for the sides."""


class RenderReader(Protocol):
    async def order(self, view_id: int) -> RenderOrder: ...

    async def overdue(self, limit: int) -> list[int]:
        """Ids of views that the sweeper should look at: past a deadline, or waiting for a worker that nobody calls."""
        ...

    async def due_for_poll(self, limit: int, *, besides: Collection[int] = ()) -> list[int]:
        """Ids of views whose prediction should be looked at, `besides` these views."""
        ...


class ViewItem(Struct, frozen=True):
    view: View
    status: Status
    url: str | None
    error: ViewError | None
    time_taken: float | None
    """Seconds from accepted to stored."""


class ErrorItem(Struct, frozen=True):
    code: ViewError
    message: str


class ImageItem(Struct, frozen=True, kw_only=True):
    """A try-on as the gallery shows it. The flat addresses repeat what `views` tells in full."""

    id: int
    status: Status
    style_id: int
    style_name: str
    description: str
    input_image_url: str
    output_image_url: str | None
    right_view_url: str | None
    left_view_url: str | None
    back_view_url: str | None
    views: list[ViewItem]
    is_favourite: bool
    time_taken: float | None
    error: ErrorItem | None
    created_at: datetime


class ImageStatus(ImageItem, frozen=True, kw_only=True):
    queue_position: int | None
    eta_seconds: float | None


class GalleryFilter(Struct, frozen=True):
    """Which try-ons to show; None is no condition."""

    is_favourite: bool | None = None
    style_id: int | None = None
    status: Status | None = None


EVERYTHING = GalleryFilter()


class ImageReader(Protocol):
    async def status(self, image_id: int, *, owner: int) -> ImageStatus | None: ...

    async def gallery(
        self, owner: int, *, before: int | None, limit: int, only: GalleryFilter = EVERYTHING
    ) -> list[ImageItem]:
        """Try-ons with an id below `before` that the filter lets through, newest first."""
        ...


class Picture(Struct, frozen=True):
    """A picture in our own encoding: upright, sRGB, JPEG, no metadata."""

    data: bytes
    width: int
    height: int


class PictureProcessor(Protocol):
    async def normalise(self, data: bytes, *, max_side: int = 2048, min_side: int = 256) -> Picture:
        """Decode bytes that nobody vouches for and encode them anew, off the event loop.

        Raises `Unprocessable` with `image_unreadable` (not a JPEG, PNG or GIF by its bytes, truncated, broken),
        `image_too_many_pixels` (over 25 megapixels, read from the header before anything is decoded) or
        `image_too_small` (short side under `min_side` pixels).
        """
        ...

    async def square(self, data: bytes, *, side: int, min_side: int) -> Picture:
        """As `normalise`, cut to the square in the centre, of `side` pixels at most."""
        ...


class UploadForm(Struct, frozen=True):
    """A multipart form that puts one file into storage: all fields as they are, then the file as `file`, the last."""

    url: str
    fields: dict[str, str]


class PictureStorage(Protocol):
    """Pictures by unguessable key. All calls raise `Unavailable` (`storage_unavailable`) when storage is away."""

    async def put(self, key: str, data: bytes, *, content_type: str = "image/jpeg") -> None: ...

    async def get(self, key: str, *, largest: int | None = None) -> bytes:
        """The bytes, or `NotFound`; of more than `largest`, none is read, and it is `TooLarge`."""
        ...

    async def delete(self, key: str) -> None:
        """Remove it; a key that is not there is fine."""
        ...

    async def url(self, key: str) -> str:
        """An absolute address that needs no session; made once per key and reused for half its life."""
        ...

    async def form(self, key: str, *, largest: int, seconds: int) -> UploadForm:
        """Lets its holder, for so long, put one file of 1 to `largest` bytes under this very key, and nothing else."""
        ...

    async def public_url(self, key: str) -> str | None:
        """An address that the image model's servers can reach, or None where storage has no public address."""
        ...

    async def ping(self) -> None:
        """Raise `Unavailable` unless a write and a read would be tried."""
        ...


class Prediction(Struct, frozen=True):
    """One rendering at the provider, as it last described it."""

    id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,100}\Z")]
    """Goes into paths."""
    status: str
    """`starting`, `processing`, `succeeded`, `failed`, `canceled`, `aborted`, or a word we do not know yet."""
    output: object = None
    """As sent: a list of addresses, one address, or something we cannot use."""
    error: str | None = None

    @property
    def finished(self) -> bool:
        """Unknown words count as unfinished: the deadline ends what never ends by itself."""
        return self.status in {"succeeded", "failed", "canceled", "aborted"}

    def record(self) -> dict[str, object]:
        """What is kept of it until its output is stored; without NULs, which a provider may send and no text holds."""
        kept: dict[str, object] = json.decode(_NUL.sub(rb"\1", json.encode(self)))
        return kept


class ImageModel(Protocol):
    """The provider that renders. Calls raise `ModelRefused`, `ModelBusy` or `ModelUnavailable`, and nothing else."""

    async def upload(self, data: bytes, *, name: str) -> str:
        """Lend the provider a picture; returns the address to name as an input."""
        ...

    async def create(self, *, prompt: str, inputs: Sequence[str], webhook: str | None) -> Prediction:
        """Start one rendering. Never repeated by the adapter: every call may make, and bill, one more."""
        ...

    async def get(self, prediction_id: str) -> Prediction | None:
        """The prediction's present state, or None when the provider does not know it."""
        ...

    async def cancel(self, prediction_id: str) -> None:
        """Ask it to stop; fine if it already has."""
        ...


class ModelUnavailable(Exception):  # noqa: N818 - a state of the provider
    """It did not answer, answered 5xx, or answered something that is no prediction."""


class ModelBusy(Exception):  # noqa: N818 - a state of the provider
    """It answered 429."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds, when the provider named a time."""


class ModelRefused(Exception):  # noqa: N818 - a state of the provider
    """It answered another 4xx: the same call would be refused again."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class OutputDownloads(Protocol):
    async def fetch(self, url: str) -> bytes:
        """Bytes of a provider's output, under limits of host, address, size, time and encoding.

        Raises `BadOutput` when the address or the answer is not acceptable, `OutputUnavailable` on what may pass
        (connection failures, 5xx).
        """
        ...


class BadOutput(Exception):  # noqa: N818 - a verdict on the output
    """The output cannot be used, and fetching it again would not change that."""


class OutputUnavailable(Exception):  # noqa: N818 - a state of the provider
    """The output could not be fetched now."""
