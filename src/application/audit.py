"""The audit log: what operators did, under whose name, to what, and why."""

from collections.abc import Mapping
from typing import Annotated, Protocol

from msgspec import Meta

from domain.errors import Invalid
from domain.texts import one_line

_LONGEST_REASON = 500
Reason = Annotated[str, Meta(min_length=1, max_length=_LONGEST_REASON)]
"""Why an operator does what concerns a customer."""


class AuditLog(Protocol):
    async def note(
        self,
        operator: str,
        action: str,
        subject: str,
        *,
        reason: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Add an entry with the present transaction: it is there if, and only if, what it tells of has happened.

        `action` is the command's name, such as `credits.grant`; `subject` names a row, such as `user:7`. Neither the
        reason nor the details may hold what has to be forgotten with a person.
        """
        ...


def reason_given(reason: str) -> str:
    """The reason as one line, or `Invalid`: a blank one says nothing to whoever reads the records."""
    given = one_line(reason)
    if not given:
        raise Invalid("validation_failed", "Say why, for the records.", field="reason")
    if len(given) > _LONGEST_REASON:
        raise Invalid("validation_failed", f"A reason has {_LONGEST_REASON} characters at most.", field="reason")
    return given
