"""Calls that leave the process: how often, how they went, how long they took, and a span of each."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram

from application.images.ports import BadOutput, ModelBusy, ModelRefused, ModelUnavailable, OutputUnavailable
from application.mail import MailRefused
from domain.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from infrastructure.spans import Spans

PAYMENT_REQUIRED = 402
_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)
_OUTCOMES = (
    ((ModelUnavailable, OutputUnavailable, Unavailable), "unavailable"),
    ((ModelBusy,), "busy"),
    ((ModelRefused, MailRefused, BadOutput, Conflict, Invalid, TooLarge), "refused"),
    ((NotFound,), "missing"),
    ((asyncio.CancelledError,), "cancelled"),
)


class CallMetrics:
    def __init__(self, registry: CollectorRegistry, spans: Spans) -> None:
        self._spans = spans
        self._calls = Counter(
            "hairtryon_provider_calls",
            "Calls to services outside, by how they went.",
            ["provider", "operation", "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "hairtryon_provider_call_seconds",
            "Seconds that calls to services outside took.",
            ["provider", "operation"],
            buckets=_SECONDS,
            registry=registry,
        )

    @contextmanager
    def call(self, provider: str, operation: str) -> Iterator[None]:
        """Count what happens inside as one call, and let its error pass."""
        began = perf_counter()
        outcome = "ok"
        try:
            with self._spans.begin(f"{provider} {operation}", "client"):
                yield
        except BaseException as error:
            outcome = outcome_of(error)
            raise
        finally:
            self._calls.labels(provider, operation, outcome).inc()
            self._seconds.labels(provider, operation).observe(perf_counter() - began)


def outcome_of(error: BaseException) -> str:
    """One word for how a call failed, by the errors of the ports."""
    if isinstance(error, ModelRefused) and error.status == PAYMENT_REQUIRED:
        return "unpaid"
    return next((outcome for kinds, outcome in _OUTCOMES if isinstance(error, kinds)), "failed")
