"""One view of a try-on: what it waits for, and who may write to it.

A view's life within a round (its status in capitals, what it waits for in brackets):

    PENDING [a worker] -> PROCESSING [the provider takes it] -> PROCESSING [the provider renders]
      -> PROCESSING [a worker stores the output] -> COMPLETED

It leaves this path to FAILED or CANCELLED from anywhere, and goes back to waiting for a worker when an attempt
failed and another is allowed. Every claim raises a number; a write that carries an older one is refused, so a worker
that slept through its lease cannot undo what another did meanwhile.

Who leaves a view to be taken up later, and how:

    turn_away   whoever submits, before taking it: the gate to the provider is closed
    call_off    whoever submits and has taken it: no prediction was begun, and the attempt does not count
    put_off     whoever stores its output and has taken it: it cannot be fetched or stored now
    give_back   of these two, and of a failed attempt, the last step: the worker that had it has it no longer
    release     the last step of all, and of what comes with no worker: the provider's answer, its news, the sweeper
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec import Struct

from domain.errors import Conflict
from domain.views import TERMINAL, Output, RenderPolicy, Status, View, ViewError

MOST_ROUNDS = 100
"""So often a view may be asked for: as it was accepted, and by being retried or added again."""
MOST_STUMBLES = 3
"""So many failures to fetch the output of a prediction are waited out; the next one ends the view. Workers that are
lost over it count too, but the one that makes it so many ends the view: it goes to no other (`ViewRender.spent`).
Attempts are bounded apart from them, by the policy: each of those is a create, and is billed."""


class Change(Struct):
    """What a decision did: whose hold is to be posted, whose voided, and who waits for a worker now."""

    completed: list["ViewRender"] = []
    ended: list["ViewRender"] = []
    queued: list["ViewRender"] = []


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
        return self.deserted and self.stumbles + 1 >= MOST_STUMBLES

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

    def submitted(self, claim: int, prediction_id: str, now: datetime, policy: RenderPolicy) -> None:
        """The provider took it. From here on nobody holds the view; the webhook or the poller brings its end."""
        self.require_claim(claim)
        if self.prediction_id not in {None, prediction_id}:
            raise StaleClaim
        self.prediction_id = prediction_id
        self.expires_at = now + policy.timeout
        self.poll_at = now + policy.poll
        self.release(now)

    def prediction_ended(self, attempt: int, prediction_id: str, prediction: dict[str, object], now: datetime) -> bool:
        """Note how the provider ended the present attempt; False when this is no news.

        The event may come before the create's own answer did: the attempt, which the address it came to proves, then
        says which prediction it is, and whoever still waits for that answer is too late with it.
        Between two attempts there is nothing to wait for, so that a failure told twice counts once.
        """
        if not self.open or self.prediction is not None or self.attempt != attempt:
            return False
        if self.prediction_id != prediction_id and not self.awaits_create:
            return False
        self.prediction_id = prediction_id
        self.prediction = prediction
        self.expires_at = self.poll_at = None
        self.claim += 1
        self.release(now)
        return True

    def claim_finish(self, now: datetime, policy: RenderPolicy) -> int | None:
        """Take a view whose prediction has ended, to store what it brought.

        That the last worker never came back is a stumble, so that an output which kills its worker every time runs
        out of tries.
        """
        if not self.free(now) or self.prediction is None or self.spent(policy):
            return None
        self.stumbles += self.deserted
        return self.take(now, policy.lease)

    def call_off(self, claim: int, error: ViewError, retry_at: datetime) -> Change:
        """Nothing was begun, for want of the photo or of credit at the provider: come back, and do not count it."""
        self.require_claim(claim)
        self.error = error
        self.attempt -= 1
        self.give_back(retry_at)
        return Change(queued=[self])

    def put_off(self, claim: int, error: ViewError, retry_at: datetime) -> Change:
        """The output is there but cannot be fetched or stored now: come back for it, without a new prediction."""
        self.require_claim(claim)
        self.error = error
        # That storage is away is not the output's fault: it is waited for until the deadline.
        self.stumbles += error is not ViewError.STORAGE_UNAVAILABLE
        self.give_back(retry_at)
        return Change(queued=[self])

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

    def complete(self, output: Output, now: datetime) -> None:
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
