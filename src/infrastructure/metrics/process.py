"""What the process is, and how it fares: what it takes of the machine, and how late its event loop is."""

import asyncio
from time import perf_counter

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector

from infrastructure.version import VERSION

_LOOK_SECONDS = 0.05
"""What holds the loop up for longer than that does not escape; a look costs some ten microseconds."""
_LATE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class ProcessMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        ProcessCollector(registry=registry)
        build = Gauge("hairtryon_build_info", "1, of a process of this version.", ["version"], registry=registry)
        build.labels(VERSION).set(1)
        self._late = Histogram(
            "hairtryon_event_loop_late_seconds",
            "How late what was due was begun, looked at twenty times a second.",
            buckets=_LATE,
            registry=registry,
        )

    async def watch_loop(self) -> None:
        """Look for ever: whatever keeps the loop busy keeps this waiting too."""
        while True:
            due = perf_counter() + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            self._late.observe(max(perf_counter() - due, 0))
