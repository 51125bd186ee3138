"""What every slice needs from outside: transactions, the outbox, time, alerts and idempotency keys."""

from datetime import datetime
from hashlib import sha256
from typing import Protocol, TypeVar

from msgspec import Struct

from application.events import Event

Result = TypeVar("Result", bound=Struct)


class UnitOfWork(Protocol):
    """One transaction at a time: begun by first use, ended by the handler."""

    async def now(self) -> datetime:
        """The database's time, the same all through a transaction."""
        ...

    async def flush(self) -> None:
        """Write what was added so far, so that it has ids, without ending the transaction."""
        ...

    async def commit(self) -> None:
        """End the transaction; entities stay readable. Without it, nothing a handler did has happened."""
        ...

    async def rollback(self) -> None:
        """Drop the transaction and what it announced, to begin anew; entities must be loaded again."""
        ...


class Outbox(Protocol):
    def add(self, event: Event, *, not_before: datetime | None = None) -> None:
        """Announce an event if, and only if, the present transaction commits."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The machine's time in UTC, for tokens. What several processes must agree on uses `UnitOfWork.now`."""
        ...


class Alerts(Protocol):
    def alert(self, kind: str, **details: object) -> None:
        """Tell operators of what only they can mend; ids only."""
        ...


class IdempotentRequest(Struct, frozen=True):
    """A request that its sender may repeat under one key."""

    user_id: int
    route: str
    key: str
    fingerprint: bytes
    """Of everything that makes this request what it is."""

    @classmethod
    def of(cls, user_id: int, route: str, key: str | None, *parts: object) -> "IdempotentRequest | None":
        if key is None:
            return None
        return cls(user_id, route, key, sha256(repr(parts).encode()).digest())


class IdempotencyKeys(Protocol):
    """Answers kept for 24 hours, in the transaction of the work they answer for."""

    async def replay(self, request: IdempotentRequest | None, result: type[Result]) -> Result | None:
        """The kept answer of this very request; None when it is new, and then nobody else can run it until commit.

        Raises `Conflict` (`idempotency_in_progress`) while another runs it, `Unprocessable`
        (`idempotency_key_reused`) when the key came with another request.
        """
        ...

    async def keep(self, request: IdempotentRequest | None, result: Struct) -> None: ...
