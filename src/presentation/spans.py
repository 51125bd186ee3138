"""Spans of traces, as requests and jobs begin them."""

from contextlib import AbstractContextManager
from typing import Literal, Protocol


class Spans(Protocol):
    is_on: bool
    """Whether traces go anywhere; if not, all of this does nothing."""

    def begin(
        self,
        name: str,
        kind: Literal["server", "consumer", "client", "internal"] = "internal",
        *,
        parent: str | None = None,
        **about: str | int,
    ) -> AbstractContextManager[None]:
        """A span for what happens inside; of the named one, which may have ended elsewhere, or of the present one."""
        ...

    def note(self, *, name: str | None = None, **about: str | int) -> None:
        """Say something of the present span: words and ids, nothing of persons, no address, no secret."""
        ...


class ViewTraces(Protocol):
    async def traceparent(self, view_id: int) -> str | None:
        """Where the trace of a view was left; None where there is none, or traces go nowhere."""
        ...
