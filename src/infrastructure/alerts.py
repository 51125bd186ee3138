"""How operators hear of what only they can mend."""

import structlog

from application.payments.ports import Alerts

log = structlog.get_logger()


def alert(kind: str, **details: object) -> None:
    """Log the event `operator_alert`, which monitoring is to watch for; `kind` says what happened."""
    log.error("operator_alert", kind=kind, **details)


class LoggedAlerts(Alerts):
    def alert(self, kind: str, **details: object) -> None:
        alert(kind, **details)
