"""What is counted about requests and webhooks, in Prometheus' terms."""

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from application.payments.ports import Verdict

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STREAM_BEGAN = "stream_began"
"""Under this name a connection's state says when a stream began, by the performance counter."""
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class HttpMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "http_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "http_request_seconds",
            "Seconds from the first byte in to the last byte out; of a stream, to its first.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._streams = Gauge("open_streams", "Streams of progress that are open.", registry=registry)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def record(self, method: str, route: str, status: int, seconds: float) -> None:
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            # Looking a child up by its labels costs more than counting does.
            children = (self._requests.labels(method, route, status), self._seconds.labels(method, route))
            self._children[key] = children
        children[0].inc()
        children[1].observe(seconds)

    def count_streams(self, count: Callable[[], int]) -> None:
        """Ask this for the number of open streams, whenever the metrics are read."""
        self._streams.set_function(count)


class WebhookMetrics:
    """Messages of those who report to us: what became of them, `refused` when nobody we trust has signed them."""

    REFUSED, UNREADABLE, REPEATED, APPLIED = "refused", "unreadable", "repeated", "applied"

    def __init__(self, registry: CollectorRegistry) -> None:
        webhooks = Counter("hairtryon_webhooks", "Messages received.", ["provider", "outcome"], registry=registry)
        replicate = (self.APPLIED, self.REPEATED, self.REFUSED, self.UNREADABLE)
        dodo = (*map(str, Verdict), self.REPEATED, self.REFUSED)
        self._webhooks = {
            (provider, outcome): webhooks.labels(provider, outcome)
            for provider, outcomes in (("replicate", replicate), ("dodo", dodo))
            for outcome in outcomes
        }

    def count(self, provider: Literal["replicate", "dodo"], outcome: str) -> None:
        self._webhooks[provider, outcome].inc()
