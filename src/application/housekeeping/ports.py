"""What keeping house needs from outside."""

from typing import Protocol

from msgspec import Struct


class Purged(Struct, frozen=True):
    """How many rows were removed, or emptied."""

    tokens: int
    """Blacklisted tokens that would be refused for their age alone."""
    links: int
    """Waiting sign-ups and password resets whose links have expired."""
    sessions: int
    answers: int
    """Kept answers of requests with an `Idempotency-Key`."""
    allowances: int
    """Counts of mails, and of free credits a day, that count no more."""
    messages: int
    """Of the payment provider, about nothing of ours: what they said, beside that they came."""
    more: bool
    """Whether there is more of it: a round is limited, so that it keeps nobody waiting."""
    files: int = 0
    """Files that no record needs any more, and that a worker removes."""


class ExpiredRecords(Protocol):
    async def purge(self) -> Purged: ...


class UnneededFiles(Protocol):
    """Files in storage that nobody will ask for. Each call takes the rows that name them away, some at a time."""

    async def forgotten(self, limit: int) -> list[str]:
        """Keys that were announced a day ago, and never recorded."""
        ...

    async def unused(self, limit: int) -> list[str]:
        """Keys of photos that were uploaded 30 days ago, and that no try-on shows."""
        ...
