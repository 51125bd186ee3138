"""The words about views: which there are, how they stand, why they fail, and how often they are tried."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from domain.errors import Invalid


class View(StrEnum):
    FRONT = "front"
    RIGHT = "right"
    LEFT = "left"
    BACK = "back"


class Status(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


class ViewError(StrEnum):
    """Why a view failed; the words customers read stand beside each."""

    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_BUSY = "provider_busy"
    PROVIDER_TIMEOUT = "provider_timeout"
    PROVIDER_REJECTED = "provider_rejected"
    PROVIDER_BAD_OUTPUT = "provider_bad_output"
    FRONT_FAILED = "front_failed"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    STYLE_UNAVAILABLE = "style_unavailable"
    """For operators to say, by `image fail`. It never happens by itself: a style that was withdrawn is still rendered
    for whoever asked for it before, and none is ever deleted."""
    INTERNAL_ERROR = "internal_error"

    @property
    def message(self) -> str:
        return _MESSAGES[self]


_MESSAGES = {
    ViewError.PROVIDER_UNAVAILABLE: "The image service did not answer. Your credit is back; please try again later.",
    ViewError.PROVIDER_BUSY: "The image service is too busy. Your credit is back; please try again in a minute.",
    ViewError.PROVIDER_TIMEOUT: "The image service took too long. Your credit is back; please try again.",
    ViewError.PROVIDER_REJECTED: "The image service's content filter refused this photo. Your credit is back.",
    ViewError.PROVIDER_BAD_OUTPUT: "The image service returned no usable picture. Your credit is back.",
    ViewError.FRONT_FAILED: "The front view failed, so this view was not rendered. Your credit is back.",
    ViewError.STORAGE_UNAVAILABLE: "The picture could not be stored. Your credit is back; please try again later.",
    ViewError.STYLE_UNAVAILABLE: "This hairstyle is not available any more. Your credit is back.",
    ViewError.INTERNAL_ERROR: "Something went wrong on our side. Your credit is back.",
}


class RenderPolicy(Struct, frozen=True):
    """How long and how often a view is tried."""

    attempts: int = 3
    """Creates at the provider per view and round."""
    timeout: timedelta = timedelta(seconds=120)
    """From a create to its output being ready."""
    deadline: timedelta = timedelta(seconds=900)
    """From accepting a view to a terminal status, whatever happens."""
    lease: timedelta = timedelta(seconds=30)
    """How long a worker may work on a view before another takes over."""
    poll: timedelta = timedelta(seconds=2)
    """Between two looks at a prediction."""


class Output(Struct, frozen=True):
    """A stored picture of a finished view."""

    key: str
    width: int
    height: int


def side_views(views: Iterable[View]) -> tuple[View, ...]:
    """Views to add, in their order, or `Invalid`: no repeats, and the front is there already."""
    asked = _in_order(views)
    if View.FRONT in asked:
        raise Invalid("validation_failed", "The front view is there already.", field="views")
    return asked


def wanted_views(views: Iterable[View]) -> tuple[View, ...]:
    """The views in their order, or `Invalid`: no repeats, and the front is always among them."""
    asked = _in_order(views)
    if View.FRONT not in asked:
        raise Invalid("validation_failed", "The front view is required.", field="views")
    return asked


def _in_order(views: Iterable[View]) -> tuple[View, ...]:
    asked = list(views)
    if len(set(asked)) != len(asked):
        raise Invalid("validation_failed", "A view is named twice.", field="views")
    return tuple(view for view in View if view in asked)
