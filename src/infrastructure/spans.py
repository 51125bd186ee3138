"""What a trace is made of, as everything here knows it; nothing is made of it where traces go nowhere."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

Kind = Literal["server", "consumer", "client", "internal"]
Value = str | int


class Spans(Protocol):
    is_on: bool
    """Whether traces go anywhere."""

    def begin(
        self, name: str, kind: Kind = "internal", *, parent: str | None = None, **about: Value
    ) -> AbstractContextManager[None]:
        """A span for what happens inside: a child of the named one, else of the present one, else a trace's first.

        With a name, the present one is linked. A call (`client`) outside of any span makes none.
        """
        ...

    def note(self, *, name: str | None = None, **about: Value) -> None:
        """Say something of the present span, for good: words and ids, nothing of persons, no address, no secret."""
        ...

    def here(self) -> str | None:
        """The present span, as `traceparent` of W3C Trace Context has it."""
        ...

    def close(self) -> None:
        """Send what is not sent yet; blocks for some seconds at most."""
        ...


class NoSpans(Spans):
    """Does nothing, and costs next to nothing."""

    is_on = False

    def begin(self, *_: object, **__: object) -> AbstractContextManager[None]:
        return nullcontext()

    def note(self, **_: object) -> None:
        pass

    def here(self) -> str | None:
        return None

    def close(self) -> None:
        pass
