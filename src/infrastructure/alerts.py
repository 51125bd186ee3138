"""How operators hear of what only they can mend."""

import structlog
from prometheus_client import CollectorRegistry, Counter

from application.ports import Alerts

log = structlog.get_logger()

KINDS = (
    "payment_quarantined",
    "payment_disputed",
    "refund_or_dispute_in_another_currency",
    "payment_for_erased_account",
    "refund_for_erased_account",
    "provider_credit_exhausted",
    "free_credits_cap_reached",
    "books_do_not_add_up",
)
"""Each is counted from the start, with zero: the first of its kind is seen as one more than none."""


class LoggedAlerts(Alerts):
    """The event `operator_alert` in the log, and a count by kind, which monitoring is to watch for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._alerts = Counter(
            "hairtryon_operator_alerts", "What only operators can mend.", ["kind"], registry=registry
        )
        for kind in KINDS:
            self._alerts.labels(kind)

    def alert(self, kind: str, **details: object) -> None:
        log.error("operator_alert", kind=kind, **details)
        self._alerts.labels(kind).inc()
