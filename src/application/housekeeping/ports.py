"""What keeping house needs from outside."""

from typing import Protocol

from msgspec import Struct


class Purged(Struct, frozen=True):
    """How many rows were removed."""

    tokens: int
    """Blacklisted tokens that would be refused for their age alone."""
    links: int
    """Waiting sign-ups and password resets whose links have expired."""
    sessions: int
    answers: int
    """Kept answers of requests with an `Idempotency-Key`."""
    allowances: int
    """Counts of mails, and of free credits a day, that count no more."""
    more: bool
    """Whether there is more of it: a round is limited, so that it keeps nobody waiting."""


class ExpiredRecords(Protocol):
    async def purge(self) -> Purged: ...
