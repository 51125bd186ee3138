"""Where work comes from: it travels with outbox rows and views, so that what happens later can be told together."""

import msgspec
import structlog
from msgspec import Struct

from infrastructure.spans import Spans


class Origin(Struct, frozen=True, omit_defaults=True):
    request_id: str | None = None
    """Of the request that asked for it."""
    traceparent: str | None = None
    """The span that it goes on from."""


def read_origin(kept: str | None) -> Origin:
    """What a row has, which may be nothing, or what another version has written: no work waits for want of it."""
    try:
        return Origin() if kept is None else msgspec.json.decode(kept, type=Origin)
    except msgspec.DecodeError:
        return Origin()


class Origins:
    """Knows where the present work comes from."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def here(self, before: Origin = Origin()) -> str | None:  # noqa: B008 - frozen
        """What to keep with what is written now, on the way of `before`; None when there is nothing to tell."""
        request_id = before.request_id or structlog.contextvars.get_contextvars().get("request_id")
        traceparent = self._spans.here() or before.traceparent
        if request_id is None and traceparent is None:
            return None
        return msgspec.json.encode(Origin(request_id, traceparent)).decode()

    def works_on(self, origin: Origin, *, image_id: int, view: str, attempt: int) -> None:
        """Have every line of the log, and the span, say from now on what this is about."""
        self._spans.note(image_id=image_id, view=view, attempt=attempt)
        structlog.contextvars.bind_contextvars(image_id=image_id, view=view, attempt=attempt)
        if origin.request_id is not None and "request_id" not in structlog.contextvars.get_contextvars():
            structlog.contextvars.bind_contextvars(request_id=origin.request_id)
