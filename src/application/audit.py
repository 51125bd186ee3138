"""The audit log: what operators did, under whose name, to what, and why."""

from collections.abc import Mapping
from typing import Protocol

from domain.errors import Invalid


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
    """The reason without surrounding space, or `Invalid`: a blank one says nothing to whoever reads the log."""
    given = reason.strip()
    if not given:
        raise Invalid("validation_failed", "Say why, for the records.", field="reason")
    return given
