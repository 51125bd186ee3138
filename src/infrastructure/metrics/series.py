"""What a registry holds, as it travels from process to process, and as Prometheus reads it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

PROCESS = "process"
"""The label that says whose series it is."""


class Sample(Struct, frozen=True, array_like=True):
    name: str
    labels: dict[str, str]
    value: float


class Family(Struct, frozen=True, array_like=True):
    """The series of one metric, in one process."""

    name: str
    documentation: str
    type: str
    samples: Sequence[Sample]


def families_of(registry: CollectorRegistry) -> list[Family]:
    """How the registry stands. When each series was made, which doubles their number, is left out."""
    return [
        Family(
            metric.name,
            metric.documentation,
            metric.type,
            [
                Sample(sample.name, sample.labels, sample.value)
                for sample in metric.samples
                if not sample.name.endswith("_created")
            ],
        )
        for metric in registry.collect()
    ]


def exposition(processes: Mapping[str, Iterable[Family]], shared: Iterable[Family]) -> bytes:
    """The series of several processes, each under its name, and those that are nobody's own, as one text."""
    return generate_latest(_Merged(processes, shared))


class _Merged(Collector):
    def __init__(self, processes: Mapping[str, Iterable[Family]], shared: Iterable[Family]) -> None:
        self._metrics: dict[str, Metric] = {}
        for process, families in processes.items():
            for family in families:
                self._add(family, {PROCESS: process})
        for family in shared:
            self._add(family, {})

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics.values()

    def _add(self, family: Family, labels: Mapping[str, str]) -> None:
        metric = self._metrics.get(family.name)
        if metric is None:
            metric = self._metrics[family.name] = Metric(family.name, family.documentation, family.type)
        for sample in family.samples:
            metric.add_sample(sample.name, {**sample.labels, **labels}, sample.value)
