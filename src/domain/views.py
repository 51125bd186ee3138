"""One view of a try-on: what it waits for, and who may write to it.

A view's life within a round (its status in capitals, what it waits for in brackets):

    PENDING [a worker] -> PROCESSING [the provider takes it] -> PROCESSING [the provider renders]
      -> PROCESSING [a worker stores the output] -> COMPLETED

It leaves this path to FAILED or CANCELLED from anywhere, and goes back to waiting for a worker when an attempt
failed and another is allowed. Every claim raises a number; a write that carries an older one is refused, so a worker
that slept through its lease cannot undo what another did meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from domain.errors import Conflict, Invalid


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


MOST_ROUNDS = 100
"""So often a view may be asked for: as it was accepted, and by being retried or added again."""

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


@dataclass(kw_only=True, eq=False)
class ViewRender:
    """One view of a try-on. Times are the database's."""

    view: View
    accepted_at: datetime
    deadline_at: datetime
    status: Status = Status.PENDING
    round: int = 1
    attempt: int = 0
    """Counts on over all rounds, so that no late news of an earlier one can be taken for news of the present."""
    attempts_before: int = 0
    """Those of earlier rounds."""
    claim: int = 0
    lease_until: datetime | None = None
    due_at: datetime
    """Not before this time does a worker take it up."""
    prediction_id: str | None = None
    prediction: dict[str, object] | None = None
    """The prediction as the provider ended it, until its output is stored."""
    expires_at: datetime | None = None
    """When the provider's time for the present attempt is up."""
    poll_at: datetime | None = None
    stumbles: int = 0
    """Failures to fetch or store the output of a prediction that has ended; workers lost over it count too."""
    output_key: str | None = None
    output_width: int | None = None
    output_height: int | None = None
    error: ViewError | None = None
    """Of a failed view its cause; of an open one the last thing that went wrong."""
    finished_at: datetime | None = None
    id: int = field(init=False, repr=False)
    image_id: int = field(init=False, repr=False)

    @classmethod
    def waiting(cls, view: View, now: datetime, policy: RenderPolicy) -> "ViewRender":
        """A view as it is accepted."""
        return cls(view=view, accepted_at=now, due_at=now, deadline_at=now + policy.deadline)

    @property
    def open(self) -> bool:
        return self.status not in TERMINAL

    @property
    def tries(self) -> int:
        """Attempts of the present round."""
        return self.attempt - self.attempts_before

    def spent(self, policy: RenderPolicy) -> bool:
        """Whether it has been tried as often as it may be, while nobody works on it."""
        if self.prediction is None:
            return self.tries >= policy.attempts
        return self.deserted and self.stumbles + 1 >= policy.attempts

    def begin_round(self, now: datetime, policy: RenderPolicy) -> None:
        """Wait once more, as if just accepted."""
        self.status = Status.PENDING
        self.round += 1
        self.attempts_before = self.attempt
        self.claim += 1
        self.stumbles = 0
        self.accepted_at = self.due_at = now
        self.deadline_at = now + policy.deadline
        self.error = self.finished_at = None
        self.forget_prediction()

    def require_claim(self, claim: int) -> None:
        """Raise `StaleClaim` unless whoever writes is the one who took it last."""
        if not self.open or self.claim != claim:
            raise StaleClaim

    def free(self, now: datetime) -> bool:
        """Nobody works on it and its time has come."""
        return self.open and self.due_at <= now and (self.lease_until is None or self.lease_until <= now)

    def waits_for_create(self, now: datetime, policy: RenderPolicy) -> bool:
        """Nobody has it or has brought it to the provider, and it has an attempt and time left."""
        return self.free(now) and self.prediction_id is None and not self.spent(policy) and self.deadline_at > now

    def turn_away(self, until: datetime, error: ViewError) -> None:
        """The provider is not to be asked now: wait on, as if no worker had come."""
        self.error = error
        self.release(until)

    @property
    def deserted(self) -> bool:
        """Of a free view: the worker that took it never came back."""
        return self.lease_until is not None

    @property
    def awaits_create(self) -> bool:
        """A worker has taken it to the provider, and the provider's answer is not noted yet."""
        return self.lease_until is not None and self.prediction_id is None

    def take(self, now: datetime, lease: timedelta) -> int:
        self.status = Status.PROCESSING
        self.claim += 1
        self.lease_until = now + lease
        return self.claim

    def release(self, due_at: datetime) -> None:
        self.lease_until = None
        self.due_at = due_at

    def give_back(self, due_at: datetime) -> None:
        """As `release`, by the worker that has it. It may not hear that this was written, and write it once more."""
        self.claim += 1
        self.release(due_at)

    def forget_prediction(self) -> None:
        self.prediction_id = self.prediction = self.expires_at = self.poll_at = None

    def show(self, output: Output, now: datetime) -> None:
        """Its picture is stored."""
        self.output_key, self.output_width, self.output_height = output.key, output.width, output.height
        self.end(Status.COMPLETED, now)

    def end(self, status: Status, now: datetime, error: ViewError | None = None) -> None:
        self.status = status
        self.error = error
        self.finished_at = now
        self.lease_until = self.poll_at = self.expires_at = None


class StaleClaim(Conflict):
    """Somebody else took the view over, or it ended: what this worker brings is late and refused."""

    def __init__(self) -> None:
        super().__init__("conflict", "This view was taken over or has ended.")


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
