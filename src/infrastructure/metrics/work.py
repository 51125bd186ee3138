"""What has become of try-ons and credits, counted by the process whose transaction did it."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from domain.credits import Cause
from domain.views import Status, View, ViewError

_SECONDS = (2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900)
HELD, RETURNED = "held", "returned"
"""Beside the ledger's causes: credits that work in progress reserved, and such as came back from it."""
GATE_CHANGES = ("closed", "opened", "unpaid")
_NO_ERROR = ""


class WorkMetrics:
    """Every label that can come is there from the start, with zero: a rate needs two values to be seen."""

    def __init__(self, registry: CollectorRegistry) -> None:
        accepted = Counter(
            "hairtryon_views_accepted", "Views accepted, retried and added ones too.", ["view"], registry=registry
        )
        ended = Counter(
            "hairtryon_views_ended",
            "Views that ended, by how and why.",
            ["view", "outcome", "error"],
            registry=registry,
        )
        seconds = Histogram(
            "hairtryon_view_seconds",
            "Seconds from accepted to stored, of views that were rendered.",
            ["view"],
            buckets=_SECONDS,
            registry=registry,
        )
        credits_ = Counter(
            "hairtryon_credits",
            "Credits that moved, by why; either way it is a positive number.",
            ["cause"],
            registry=registry,
        )
        changes = Counter(
            "hairtryon_model_gate_changes",
            "How often the gate before the image model moved.",
            ["to"],
            registry=registry,
        )
        self.accepted = {view: accepted.labels(view) for view in View}
        self.ended = {
            (view, status, error): ended.labels(view, status.lower(), error or _NO_ERROR)
            for view in View
            for status, errors in (
                (Status.COMPLETED, (None,)),
                (Status.FAILED, tuple(ViewError)),
                (Status.CANCELLED, (None,)),
            )
            for error in errors
        }
        self.seconds = {view: seconds.labels(view) for view in View}
        self.credits = {cause: credits_.labels(cause) for cause in (*map(str, Cause), HELD, RETURNED)}
        self.gate_changes = {change: changes.labels(change) for change in GATE_CHANGES}
