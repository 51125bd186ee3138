"""What `/metrics` counted of a generation, and what it must have counted."""

from collections.abc import Mapping

import httpx
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

Labels = Mapping[str, str]

_NOT_OF_WORK = ("process_", "python_", "hairtryon_event_loop", "hairtryon_database")
"""What moves without anybody asking for anything, and what moves with every statement."""
_NOT_FOR_PEOPLE = ("_bucket", "_created")

MUST_MOVE: tuple[tuple[str, Labels, float], ...] = (
    ("http_requests_total", {"method": "POST", "route": "/api/v1/image/generate", "status": "202"}, 1),
    ("hairtryon_views_accepted_total", {"view": "front"}, 1),
    ("hairtryon_views_accepted_total", {"view": "right"}, 1),
    ("hairtryon_credits_total", {"cause": "held"}, 2),
    ("hairtryon_jobs_total", {"job": "submit_view", "outcome": "done"}, 2),
    ("hairtryon_provider_calls_total", {"provider": "replicate", "operation": "create", "outcome": "ok"}, 2),
    ("hairtryon_webhooks_total", {"provider": "replicate", "outcome": "applied"}, 2),
    ("hairtryon_jobs_total", {"job": "finish_view", "outcome": "done"}, 2),
    ("hairtryon_provider_calls_total", {"provider": "replicate", "operation": "download", "outcome": "ok"}, 2),
    ("hairtryon_provider_calls_total", {"provider": "storage", "operation": "put", "outcome": "ok"}, 2),
    ("hairtryon_views_ended_total", {"view": "front", "outcome": "completed", "error": ""}, 1),
    ("hairtryon_views_ended_total", {"view": "right", "outcome": "completed", "error": ""}, 1),
    ("hairtryon_credits_total", {"cause": "spend"}, 2),
)
"""By how much, whichever process counts it."""


class Series(Struct, frozen=True):
    name: str
    process: str
    """`api` or `worker`, or nothing for what stands in the database."""
    labels: tuple[tuple[str, str], ...]


class Moved(Struct, frozen=True):
    series: Series
    before: float
    after: float


def scrape(url: str) -> dict[Series, float]:
    """As one API tells it; of two processes of one role, the sum."""
    counts: dict[Series, float] = {}
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", trust_env=False).text):
        for sample in family.samples:
            labels = dict(sample.labels)
            role = labels.pop("process", "").partition("@")[0]
            series = Series(sample.name, role, tuple(sorted(labels.items())))
            counts[series] = counts.get(series, 0.0) + sample.value
    return counts


def changes(before: Mapping[Series, float], after: Mapping[Series, float]) -> list[Moved]:
    """What is different, by name; without what only machines read, or what always moves."""
    told = [
        Moved(series, before.get(series, 0.0), value)
        for series, value in after.items()
        if value != before.get(series, 0.0)
        and not series.name.startswith(_NOT_OF_WORK)
        and not series.name.endswith(_NOT_FOR_PEOPLE)
    ]
    return sorted(told, key=lambda change: (change.series.name, change.series.process, change.series.labels))


def unmoved(before: Mapping[Series, float], after: Mapping[Series, float]) -> list[str]:
    """What has not moved as it must, in words."""
    faults = []
    for name, labels, amount in MUST_MOVE:
        moved = _sum(after, name, labels) - _sum(before, name, labels)
        if moved != amount:
            words = ", ".join(f'{label}="{value}"' for label, value in labels.items())
            faults.append(f"{name}{{{words}}} moved by {moved:g}, not by {amount:g}")
    return faults


def _sum(counts: Mapping[Series, float], name: str, labels: Labels) -> float:
    return sum(
        value
        for series, value in counts.items()
        if series.name == name and labels.items() <= dict(series.labels).items()
    )
