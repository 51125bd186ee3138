"""The trace of a generation: as a tree, and whether it is one."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from tests.collector import Collector, attributes

REQUEST = "POST /api/v1/image/generate"
WANTED = (
    ("submit_view", "replicate create"),
    ("finish_view", "replicate download"),
    ("finish_view", "storage put"),
)
"""Jobs that come for each view, and the calls inside of them."""
_VIEWS = ("front", "right")
_ERROR = 2
_SECOND = 1e9  # nanoseconds


class Line(Struct, frozen=True):
    depth: int
    name: str
    about: str
    service: str
    begins: float
    """Seconds after the request came in."""
    seconds: float


def broken(spans: Sequence[Any], image_id: int) -> list[str]:
    """Why this is not one trace of the whole generation, in words."""
    roots = [span for span in spans if span.name == REQUEST]
    if len(roots) != 1:
        return [f"there are {len(roots)} spans called {REQUEST}, not one"]
    of_trace = _of_trace(spans, roots[0])
    faults = [
        f"{_called(span)} is in another trace"
        for span in spans
        if attributes(span).get("image_id") == image_id and span.trace_id != roots[0].trace_id
    ]
    known = {span.span_id for span in of_trace}
    faults += [
        f"{_called(span)} hangs in the air: what it is inside of was not told"
        for span in of_trace
        if span is not roots[0] and span.parent_span_id not in known
    ]
    faults += [f"{_called(span)} ended in {span.status.message}" for span in of_trace if span.status.code == _ERROR]
    for view in _VIEWS:
        for job, call in WANTED:
            jobs = {span.span_id for span in of_trace if span.name == job and attributes(span).get("view") == view}
            if not any(span.name == call and span.parent_span_id in jobs for span in of_trace):
                faults.append(f"there is no {call} inside of a {job} of the {view}")
    return faults


def tree(collector: Collector, image_id: int) -> list[Line]:
    """The spans of the trace, each below the one that it is inside of, in the order in which they begin."""
    root = next((span for span in collector.spans if span.name == REQUEST), None)
    if root is None:
        return []
    spans = _of_trace(collector.spans, root)
    lines: list[Line] = []

    def add(span: Any, depth: int) -> None:
        begins = (span.start_time_unix_nano - root.start_time_unix_nano) / _SECOND
        seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / _SECOND
        service = collector.services[span.span_id].removeprefix("hairtryon-")
        lines.append(Line(depth, span.name, _about(span, image_id), service, begins, seconds))
        for child in (inner for inner in spans if inner.parent_span_id == span.span_id):
            add(child, depth + 1)

    add(root, 0)
    return lines


def _of_trace(spans: Sequence[Any], root: Any) -> list[Any]:
    return sorted(
        (span for span in spans if span.trace_id == root.trace_id), key=lambda span: span.start_time_unix_nano
    )


def _called(span: Any) -> str:
    view = attributes(span).get("view")
    return f"{span.name} of the {view}" if view else str(span.name)


def _about(span: Any, image_id: int) -> str:
    about = attributes(span)
    words = [f"try-on {image_id}" if about.get("image_id") else "", about.get("view", "")]
    words += [f"{name} {about[key]}" for name, key in _SHOWN if key in about]
    return ", ".join(filter(None, words))


_SHOWN = (("attempt", "attempt"), ("outbox row", "outbox_id"), ("status", "status"))
