"""The database's side of the ports, in memory, with transactions that can be watched.

`tests/integration/database` holds the ledger and the outbox of this file to the promises of the real ones.
"""

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from application.audit import AuditLog
from application.credits.ports import Balance, CreditAccounts, Holds
from application.events import Event
from application.images.model_gate import (
    FAILURES,
    OVER_IMAGES,
    PROBE_AFTER,
    UNPAID_PAUSE,
    CreateRate,
    ModelGate,
    TurnedAway,
)
from application.ports import Outbox, UnitOfWork
from domain.credits import VIEW_PRICE, Cause, HoldStatus, InsufficientCredits
from domain.errors import NotFound, Unavailable
from domain.renders import ViewRender
from domain.views import ViewError


class Participant(Protocol):
    """Something that a transaction keeps or drops as a whole."""

    def flush(self) -> None: ...

    def keep(self) -> None: ...

    def drop(self) -> None: ...


class Transaction(UnitOfWork):
    """One transaction after another. `is_open` from its first use to its end; `commits` counts those that were kept.

    `dies_in` commits, if a test says so, the process dies instead: what it had done has not happened. `dies_after` so
    many, the connection does, when all has happened and nobody has heard of it.
    """

    def __init__(self, now: datetime) -> None:
        self.time = now
        self.is_open = False
        self.commits = 0
        self.dies_in: int | None = None
        self.dies_after: int | None = None
        self.participants: list[Participant] = []

    def use(self) -> None:
        self.is_open = True

    def pass_time(self, **how_long: float) -> None:
        self.time += timedelta(**how_long)

    async def now(self) -> datetime:
        self.use()
        return self.time

    async def flush(self) -> None:
        self.use()
        for participant in self.participants:
            participant.flush()

    async def commit(self) -> None:
        await self.flush()
        if self.dies_in is not None:
            self.dies_in = self.dies_in - 1 or None
            if self.dies_in is None:
                self.abandon()
                raise ConnectionError("the process dies here")
        for participant in self.participants:
            participant.keep()
        self.is_open = False
        self.commits += 1
        if self.dies_after is not None:
            self.dies_after = self.dies_after - 1 or None
            if self.dies_after is None:
                raise Unavailable("service_unavailable", "The connection died in the commit.")

    async def rollback(self) -> None:
        self.abandon()

    def abandon(self) -> None:
        for participant in self.participants:
            participant.drop()
        self.is_open = False


class Announced(Struct, frozen=True):
    event: Event
    not_before: datetime | None


class InMemoryOutbox(Outbox):
    """`announced` is what has left, in its order; a test may take from it as a worker would."""

    def __init__(self, transaction: Transaction) -> None:
        self.announced: list[Announced] = []
        self._pending: list[Announced] = []
        transaction.participants.append(self)

    def add(self, event: Event, *, not_before: datetime | None = None) -> None:
        self._pending.append(Announced(event, not_before))

    @property
    def events(self) -> list[Event]:
        return [announced.event for announced in self.announced]

    def flush(self) -> None:
        """Events are written by the commit itself."""

    def keep(self) -> None:
        self.announced += self._pending
        self._pending = []

    def drop(self) -> None:
        self._pending = []


class Entry(Struct, frozen=True):
    user_id: int
    amount: int
    cause: Cause
    natural_key: str
    balance_after: int
    reason: str | None = None
    operator: str | None = None


class _Books(Struct):
    credits: dict[int, int] = {}
    frozen: dict[int, int] = {}
    entries: list[Entry] = []
    holds: dict[tuple[int, int], tuple[int, HoldStatus]] = {}
    """By view and round: whose, and how it stands."""


class InMemoryAccounts(CreditAccounts, Holds):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._books = _Books()
        self._kept = _Books()
        transaction.participants.append(self)

    def open(self, user_id: int) -> None:
        """What the row of a new user is in the database."""
        for books in (self._books, self._kept):
            books.credits[user_id] = books.frozen[user_id] = 0

    async def place(self, user_id: int, views: Sequence[ViewRender]) -> None:
        self._transaction.use()
        amount = VIEW_PRICE * len(views)
        if self._books.credits[user_id] - self._held(user_id) - self._books.frozen[user_id] < amount:
            raise InsufficientCredits(amount)
        for view in views:
            self._books.holds[view.id, view.round] = (user_id, HoldStatus.PENDING)

    async def post(self, view: ViewRender) -> None:
        user_id = self._resolve(view, HoldStatus.POSTED)
        if user_id is not None:
            self._enter(user_id, -VIEW_PRICE, Cause.SPEND, f"spend:{view.id}:{view.round}")

    async def void(self, view: ViewRender) -> None:
        self._resolve(view, HoldStatus.VOIDED)

    async def freeze(self, user_id: int, amount: int) -> None:
        self._transaction.use()
        self._books.frozen[user_id] += amount

    async def record(
        self,
        user_id: int,
        amount: int,
        cause: Cause,
        *,
        natural_key: str,
        reference: str | None = None,  # noqa: ARG002 - shown in the history, which no handler reads back
        reason: str | None = None,
        operator: str | None = None,
    ) -> bool:
        self._transaction.use()
        if any(entry.natural_key == natural_key for entry in self._books.entries):
            return False
        self._enter(user_id, amount, cause, natural_key, reason, operator)
        return True

    async def balance(self, user_id: int) -> Balance:
        self._transaction.use()
        if user_id not in self._books.credits:
            raise NotFound("user_not_found", "There is no such user.")
        total, held, frozen = self._books.credits[user_id], self._held(user_id), self._books.frozen[user_id]
        return Balance(total, held, frozen, total - held - frozen)

    def entries(self, user_id: int) -> list[Entry]:
        return [entry for entry in self._kept.entries if entry.user_id == user_id]

    def hold_of(self, view: ViewRender) -> HoldStatus | None:
        kept = self._kept.holds.get((view.id, view.round))
        return kept[1] if kept else None

    def flush(self) -> None:
        """Every change is in the books at once."""

    def keep(self) -> None:
        self._kept = copy.deepcopy(self._books)

    def drop(self) -> None:
        self._books = copy.deepcopy(self._kept)

    def _held(self, user_id: int) -> int:
        return VIEW_PRICE * list(self._books.holds.values()).count((user_id, HoldStatus.PENDING))

    def _resolve(self, view: ViewRender, status: HoldStatus) -> int | None:
        self._transaction.use()
        user_id, present = self._books.holds.get((view.id, view.round), (0, None))
        if present is not HoldStatus.PENDING:
            return None
        self._books.holds[view.id, view.round] = (user_id, status)
        return user_id

    def _enter(
        self,
        user_id: int,
        amount: int,
        cause: Cause,
        natural_key: str,
        reason: str | None = None,
        operator: str | None = None,
    ) -> None:
        self._books.credits[user_id] += amount
        after = self._books.credits[user_id]
        self._books.entries.append(Entry(user_id, amount, cause, natural_key, after, reason, operator))


class AuditNote(Struct, frozen=True):
    operator: str
    action: str
    subject: str
    reason: str | None
    details: dict[str, object]


class InMemoryAuditLog(AuditLog):
    """`kept` is what committed transactions noted."""

    def __init__(self, transaction: Transaction) -> None:
        self.kept: list[AuditNote] = []
        self._pending: list[AuditNote] = []
        self._transaction = transaction
        transaction.participants.append(self)

    async def note(
        self,
        operator: str,
        action: str,
        subject: str,
        *,
        reason: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self._transaction.use()
        self._pending.append(AuditNote(operator, action, subject, reason, dict(details or {})))

    def flush(self) -> None:
        """Notes are written at once."""

    def keep(self) -> None:
        self.kept += self._pending
        self._pending = []

    def drop(self) -> None:
        self._pending = []


class _Standing(Struct):
    failures: int = 0
    failed_images: set[int] = set()
    closed_until: datetime | None = None
    unpaid: bool = False
    next_create_at: datetime | None = None
    next_return_at: datetime | None = None


class InMemoryModelGate(ModelGate):
    def __init__(self, transaction: Transaction, rate: CreateRate) -> None:
        self._transaction = transaction
        self._rate = rate
        self._now = _Standing()
        self._kept = _Standing()
        self.alerts = 0
        transaction.participants.append(self)

    @property
    def is_closed(self) -> bool:
        return self._kept.closed_until is not None

    async def admit(self) -> TurnedAway | None:
        now, gate = await self._transaction.now(), self._now
        if (gate.closed_until or now) > now or (gate.next_create_at or now) - self._rate.allowance > now:
            return self._turn_away(now)
        gate.next_create_at = max(gate.next_create_at or now, now) + self._rate.interval
        if gate.closed_until is not None:
            gate.closed_until = now + PROBE_AFTER
        return None

    async def answered(self) -> None:
        self._transaction.use()
        self._now = _Standing(next_create_at=self._now.next_create_at, next_return_at=self._now.next_return_at)

    async def failed(self, image_id: int) -> None:
        now, gate = await self._transaction.now(), self._now
        gate.failures += 1
        gate.failed_images.add(image_id)
        if gate.closed_until or (gate.failures >= FAILURES and len(gate.failed_images) >= OVER_IMAGES):
            gate.closed_until = max(gate.closed_until or now, now + PROBE_AFTER)

    async def unpaid(self) -> TurnedAway:
        now, gate = await self._transaction.now(), self._now
        gate.closed_until = max(gate.closed_until or now, now + UNPAID_PAUSE)
        self.alerts += not gate.unpaid
        gate.unpaid = True
        return self._turn_away(now)

    def flush(self) -> None:
        """Every change is there at once."""

    def keep(self) -> None:
        self._kept = copy.deepcopy(self._now)

    def drop(self) -> None:
        self._now = copy.deepcopy(self._kept)

    def _turn_away(self, now: datetime) -> TurnedAway:
        gate = self._now
        allowed = (gate.next_create_at or now) - self._rate.allowance
        free = max(gate.next_return_at or now, gate.closed_until or now, allowed, now)
        gate.next_return_at = free + self._rate.between_returns
        error = ViewError.PROVIDER_UNAVAILABLE if gate.closed_until else ViewError.PROVIDER_BUSY
        return TurnedAway(gate.next_return_at, error)
