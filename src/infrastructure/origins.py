"""Where work comes from: it travels with outbox rows and views, so that what happens later can be told together."""

import msgspec
import structlog
from msgspec import Struct

from infrastructure.spans import Spans


class Origin(Struct, frozen=True, omit_defaults=True):
    request_id: str | None = None
    """Of the request that asked for it."""
    user_id: int | None = None
    """Who was signed in then."""
    traceparent: str | None = None
    """The span that it goes on from."""

    @property
    def words(self) -> dict[str, str | int]:
        """What lines of the log say of it."""
        words = {"request_id": self.request_id, "user_id": self.user_id}
        return {name: value for name, value in words.items() if value is not None}


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
        bound = structlog.contextvars.get_contextvars()
        asked = before if before.words else Origin(bound.get("request_id"), bound.get("user_id"))
        here = Origin(asked.request_id, asked.user_id, self._spans.here() or before.traceparent)
        return None if here == Origin() else msgspec.json.encode(here).decode()

    def works_on(self, origin: Origin, *, image_id: int, view: str, attempt: int) -> None:
        """Have every line of the log, and the span, say from now on what this is about, and for whom it is done."""
        self._spans.note(image_id=image_id, view=view, attempt=attempt)
        bound = structlog.contextvars.get_contextvars()
        asked = {name: word for name, word in origin.words.items() if name not in bound}
        structlog.contextvars.bind_contextvars(image_id=image_id, view=view, attempt=attempt, **asked)
