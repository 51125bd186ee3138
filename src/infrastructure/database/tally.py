"""What a transaction did that is counted: after its commit, and never when there is none."""

from collections.abc import Iterable

from prometheus_client import Counter

from domain.views import Status
from infrastructure.database.try_ons import StatusChange
from infrastructure.metrics.work import WorkMetrics


class Tally:
    """Kept by the adapters that write, counted by the unit of work that commits."""

    def __init__(self, metrics: WorkMetrics) -> None:
        self._metrics = metrics
        self._noted: list[tuple[Counter, int]] = []

    def credits_moved(self, cause: str, amount: int) -> None:
        self._noted.append((self._metrics.credits[cause], abs(amount)))

    def gate_changed(self, to: str) -> None:
        self._noted.append((self._metrics.gate_changes[to], 1))

    def count(self, changes: Iterable[StatusChange]) -> None:
        """The transaction has committed, and these statuses with it."""
        noted, self._noted = self._noted, []
        for counter, amount in noted:
            counter.inc(amount)
        for change in changes:
            self._count_view(change)

    def forget(self) -> None:
        self._noted = []

    def _count_view(self, change: StatusChange) -> None:
        if change.view is None:
            return
        if change.status is Status.PENDING:
            self._metrics.accepted[change.view].inc()
        elif ended := self._metrics.ended.get((change.view, change.status, change.error)):
            ended.inc()
        if change.seconds is not None:
            self._metrics.seconds[change.view].observe(change.seconds)
