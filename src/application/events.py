"""What happened, as the outbox keeps it: ids only, so that nothing personal outlives what it is about.

Each event names the job that consumes it; every consumer is idempotent.
"""

from typing import ClassVar

from msgspec import Struct


class Event(Struct, frozen=True):
    job: ClassVar[str]


class RegistrationMade(Event, frozen=True):
    """A verification mail is due."""

    job = "send_verification_mail"
    registration_id: int
    key: str
    """A UUID, so that the provider sends this mail once, however often the job runs."""


class RegistrationRepeated(Event, frozen=True):
    """Somebody tried to register an address that has an account; its owner is told by mail."""

    job = "send_account_exists_mail"
    user_id: int
    key: str


class ViewSubmittable(Event, frozen=True):
    """A view waits for a worker to create its prediction."""

    job = "submit_view"
    view_id: int


class ViewFinishable(Event, frozen=True):
    """A view's prediction has ended; its output waits to be stored."""

    job = "finish_view"
    view_id: int


class PredictionAbandoned(Event, frozen=True):
    """Nobody waits for this prediction any more; the provider may stop it."""

    job = "cancel_prediction"
    view_id: int
    prediction_id: str
