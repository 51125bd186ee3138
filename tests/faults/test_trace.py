"""`just trace`, as a test."""

import asyncio
from pathlib import Path

import pytest

from tests.collector import collecting
from tests.faults.rig import Rig
from tests.trace.metrics import MUST_MOVE, unmoved
from tests.trace.spans import REQUEST, WANTED, broken
from tests.trace.story import Report, play, settings


@pytest.mark.exhaustive
async def test_a_generation_of_two_views_is_one_trace_and_moves_every_count(tmp_path: Path) -> None:
    """Across the real API, worker and outbox; and what is missing of it, or is in another trace, is told."""
    with collecting() as collector:
        rig = await asyncio.to_thread(Rig, tmp_path, **settings(collector))
        try:
            report = await play(rig, collector)
        finally:
            await asyncio.to_thread(rig.close)
    assert report.faults == []
    assert report.trace[0].name == REQUEST
    assert inner_of(report, "submit_view", "front") >= {"record_prediction", "finish_view", "submit_view"}

    trace = next(span for span in collector.spans if span.name == REQUEST).trace_id
    needed = {REQUEST, *(name for pair in WANTED for name in pair)}
    for span in [span for span in collector.spans if span.trace_id == trace and span.name in needed]:
        others = [other for other in collector.spans if other is not span]
        assert broken(others, report.image_id), f"nobody misses {span.name}"
    finish = next(span for span in collector.spans if span.name == "finish_view")
    finish.trace_id = bytes(16)
    assert any("is in another trace" in fault for fault in broken(collector.spans, report.image_id))


def test_every_count_that_does_not_move_is_told() -> None:
    assert len(unmoved({}, {})) == len(MUST_MOVE)


def inner_of(report: Report, name: str, view: str) -> set[str]:
    """The names of all spans inside of the first one of this name and view, however deep."""
    lines = iter(report.trace)
    outer = next(line for line in lines if line.name == name and view in line.about)
    names = set()
    for line in lines:
        if line.depth <= outer.depth:
            break
        names.add(line.name)
    return names
