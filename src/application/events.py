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


class PasswordResetAsked(Event, frozen=True):
    """Somebody forgot the password of an address; if it has an account, its owner is mailed a link."""

    job = "send_password_reset_mail"
    reset_id: int
    key: str


class ProfilePictureOffered(Event, frozen=True):
    """The provider that a user signed in with shows a picture of them, which may be copied."""

    job = "copy_profile_picture"
    user_id: int


class AccountErased(Event, frozen=True):
    """A user deleted their account; their work in progress, pictures and records are to follow."""

    job = "erase_works"
    user_id: int
    last: bool = False
    """Some minutes later: nobody can be storing a picture of theirs any more."""


class ImageDeleted(Event, frozen=True):
    """A customer deleted a try-on; its pictures are to follow."""

    job = "erase_image"
    image_id: int
    last: bool = False
    """Some minutes later: nobody can be storing a picture of it any more."""


class ViewSubmittable(Event, frozen=True):
    """A view waits for a worker to create its prediction."""

    job = "submit_view"
    view_id: int


class ViewFinishable(Event, frozen=True):
    """A view's prediction has ended; its output waits to be stored."""

    job = "finish_view"
    view_id: int


class PictureDiscarded(Event, frozen=True):
    """No record names this picture any more; its file may leave storage."""

    job = "discard_picture"
    key: str


class OutputAbandoned(Event, frozen=True):
    """An attempt ended without its output being shown; its file may be in storage all the same."""

    job = "discard_output"
    view_id: int
    attempt: int


class PredictionAbandoned(Event, frozen=True):
    """Nobody waits for this prediction any more; the provider may stop it."""

    job = "cancel_prediction"
    view_id: int
    prediction_id: str


class CreditsPurchased(Event, frozen=True):
    """A purchase was paid and credited; its receipt is due."""

    job = "send_receipt"
    transaction_id: int
    key: str


class PurchaseRefunded(Event, frozen=True):
    """Money of a purchase went back to the payer, who is told by mail."""

    job = "send_refund_notice"
    transaction_id: int
    payment_id: str
    refund_id: str
    key: str
