"""What a process tells about itself."""

import asyncio
import time

from prometheus_client import CollectorRegistry

from infrastructure.metrics.process import ProcessMetrics


async def test_whatever_holds_the_loop_up_for_long_is_seen() -> None:
    """Once, and however short the time between two looks is: a fifth of a second, of which a tenth is long."""
    registry = CollectorRegistry()
    watching = asyncio.create_task(ProcessMetrics(registry).watch_loop())
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - just that is to be noticed
    while not _looks(registry, "+Inf"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    watching.cancel()
    assert _looks(registry, "+Inf") - _looks(registry, "0.1") >= 1


def _looks(registry: CollectorRegistry, bound: str) -> float:
    return registry.get_sample_value("hairtryon_event_loop_late_seconds_bucket", {"le": bound}) or 0
