"""The audit log, as operators read it. How it is written is in `application/audit.py`."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class AuditEntry(Struct, frozen=True):
    id: int
    at: datetime
    operator: str
    """A name, or `user:` and the id of an admin."""
    action: str
    """The command, such as `user.disable`."""
    subject: str
    """What it was done to, such as `user:7`."""
    reason: str | None
    details: dict[str, object]


class AuditFilter(Struct, frozen=True):
    """Which entries to show; None is no condition."""

    operator: str | None = None
    action: str | None = None
    subject: str | None = None


class AuditRecords(Protocol):
    async def entries(self, *, before: int | None, limit: int, only: AuditFilter) -> list[AuditEntry]:
        """Entries with an id below `before` that the filter lets through, newest first."""
        ...
