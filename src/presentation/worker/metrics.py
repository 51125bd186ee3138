"""What a worker counts of its own work, in Prometheus' terms."""

from collections.abc import Iterable
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Outcome = Literal["done", "put_off", "failed"]

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class JobMetrics:
    """Of jobs that the outbox announces, and of those that come by the clock."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._jobs = Counter(
            "hairtryon_jobs",
            "Jobs, by how they went; what is put off or failed comes again.",
            ["job", "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "hairtryon_job_seconds", "Seconds that jobs took.", ["job"], buckets=_BUCKETS, registry=registry
        )
        self._differences = Gauge(
            "hairtryon_ledger_differences",
            "Accounts, views and payments that the last audit of the ledger found out of step.",
            registry=registry,
        )

    def expect(self, jobs: Iterable[str]) -> None:
        """Have these jobs there with zero: the first failure of one is seen as one more than none."""
        for job in jobs:
            for outcome in get_args(Outcome):
                self._jobs.labels(job, outcome)
            self._seconds.labels(job)

    def record(self, job: str, outcome: Outcome, seconds: float) -> None:
        self._jobs.labels(job, outcome).inc()
        self._seconds.labels(job).observe(seconds)

    def audited(self, differences: int) -> None:
        self._differences.set(differences)
