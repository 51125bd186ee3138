"""The words in which a test tells the sandbox how to misbehave; `sandbox.control` is the way they come in."""

import base64
import binascii
import signal
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Seconds = Annotated[float, Meta(ge=0)]
Bytes = Annotated[int, Meta(ge=0)]


class Reply(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer sent in place of the true one. With no body named, the service's own error body of that status."""

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    headers: dict[str, str] = {}
    json: Any | UnsetType = UNSET
    text: str | None = None
    base64: str | None = None

    def __post_init__(self) -> None:
        if (self.json is not UNSET) + (self.text is not None) + (self.base64 is not None) > 1:
            raise ValueError("a reply has one body: json, text or base64")
        if self.base64 is not None:
            try:
                base64.b64decode(self.base64, validate=True)
            except binascii.Error as error:
                raise ValueError("a reply's base64 must be base64") from error


class Signal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal sent to a process at an exact point of a call."""

    pid: Annotated[int, Meta(gt=1)]
    signal: str = "SIGKILL"
    at: Literal["received", "processed", "replied"] = "received"
    delay: Seconds = 0

    def __post_init__(self) -> None:
        if self.signal not in signal.Signals.__members__:
            raise ValueError(f"{self.signal} is no signal")


class Outcome(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one prediction ends, in place of succeeding with one picture; or one refund, in place of succeeding."""

    status: str = "succeeded"
    error: str | None = None
    output: Any | UnsetType = UNSET
    latency_seconds: Seconds | None = None


class HtmlPage(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="html"):
    pass


class LargeFile(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="large"):
    bytes: Bytes = 64 * 1024 * 1024
    declared: bool = True


class SlowFile(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="slow"):
    seconds: Seconds = 60


class Redirect(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="redirect"):
    to: str
    status: Literal[301, 302, 303, 307, 308] = 302


class Bomb(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="bomb"):
    width: Annotated[int, Meta(ge=1, le=65_535)] = 30_000
    height: Annotated[int, Meta(ge=1, le=65_535)] = 30_000


class Expired(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="expired"):
    status: Literal[403, 404, 410] = 404


Delivery = HtmlPage | LargeFile | SlowFile | Redirect | Bomb | Expired


class WebhookBehaviour(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the webhooks of one prediction, or one event, misbehave. Not every service knows every mode."""

    mode: Literal["normal", "never", "twice", "forged", "unsigned", "held", "before_reply"] = "normal"
    delay: Seconds = 0


class IdTokenFault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with one ID token."""

    claims: dict[str, Any] = {}
    """In place of the true ones; null leaves one out."""
    signature: Literal["right", "none", "HS256", "unknown_key", "forged"] = "right"


PLACES = {
    "outcome": ("create", "create_refund"),
    "delivery": ("output",),
    "webhook": ("webhook",),
    "id_token": ("token",),
}
"""The operations that a part of a rule goes with."""


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happens to the next `times` calls of one operation. See `sandbox.control` for every field."""

    on: str
    times: Annotated[int, Meta(ge=1)] | None = 1
    contains: str = ""
    delay: Seconds = 0
    signals: tuple[Signal, ...] = ()
    processed: bool = False
    reply: Reply | None = None
    reset: bool = False
    hang: Seconds | None = None
    truncate: Bytes | None = None
    outcome: Outcome | None = None
    delivery: Delivery | None = None
    webhook: WebhookBehaviour | None = None
    id_token: IdTokenFault | None = None

    def __post_init__(self) -> None:
        if (self.reply is not None) + self.reset + (self.hang is not None) > 1:
            raise ValueError("a rule has one of reply, reset and hang")
        if self.processed and not self.answers_itself:
            raise ValueError("processed goes with reply, reset or hang")
        for part, operations in PLACES.items():
            if getattr(self, part) is not None and self.on not in operations:
                raise ValueError(f"{part} goes with on: {' or '.join(operations)}")
        wire = self.answers_itself or self.truncate is not None or self.delay or self.signals
        if self.on == "webhook" and wire:
            raise ValueError("on: webhook takes only the part webhook")

    @property
    def answers_itself(self) -> bool:
        return self.reply is not None or self.reset or self.hang is not None


class Script:
    """The rules in force, in order; the first that matches a call is used, and used up after its `times`."""

    def __init__(self) -> None:
        self._rules: list[tuple[Rule, int | None]] = []

    def append(self, rules: Sequence[Rule]) -> None:
        self._rules += [(rule, rule.times) for rule in rules]

    def clear(self) -> None:
        self._rules = []

    def take(self, operation: str, *texts: str) -> Rule | None:
        """Use the first rule for this operation whose `contains` occurs in one of the texts."""
        for position, (rule, left) in enumerate(self._rules):
            if rule.on == operation and (not rule.contains or any(rule.contains in text for text in texts)):
                if left == 1:
                    del self._rules[position]
                elif left is not None:
                    self._rules[position] = (rule, left - 1)
                return rule
        return None

    def rules_for(self, operation: str) -> bool:
        """Whether any rule could match a call of this operation."""
        return any(rule.on == operation for rule, _ in self._rules)

    def remaining(self) -> list[dict[str, Any]]:
        return [{"rule": rule, "left": left} for rule, left in self._rules]
