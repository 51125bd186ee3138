"""What the credit use cases, and everything that costs credits, need from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from domain.credits import Cause
from domain.renders import ViewRender


class Holds(Protocol):
    """Credits reserved for views in progress. The sums on the user row change in the statement that guards them."""

    async def place(self, user_id: int, views: Sequence[ViewRender]) -> None:
        """Reserve the price of each view, or raise `InsufficientCredits` and reserve nothing."""
        ...

    async def post(self, view: ViewRender) -> None:
        """Turn the view's hold of its present round into spent credits. Once: repeating it changes nothing."""
        ...

    async def void(self, view: ViewRender) -> None:
        """Give the view's hold of its present round back. Once: repeating it changes nothing."""
        ...


class CreditAccounts(Protocol):
    """The ledger, and the sums on the user row."""

    async def freeze(self, user_id: int, amount: int) -> None:
        """Keep so many credits from being spent, or, with a negative amount, let them be spent again."""
        ...

    async def record(
        self,
        user_id: int,
        amount: int,
        cause: Cause,
        *,
        natural_key: str,
        reference: str | None = None,
        reason: str | None = None,
        operator: str | None = None,
    ) -> bool:
        """Add a ledger entry; False, and no change, when its natural key has been recorded before."""
        ...

    async def balance(self, user_id: int) -> "Balance":
        """Sums as they stand; raises `NotFound` (`user_not_found`)."""
        ...


class Balance(Struct, frozen=True):
    credits: int
    credits_held: int
    credits_frozen: int
    credits_available: int


class LedgerDifference(Struct, frozen=True):
    """An account whose kept sums are not what its entries and holds add up to."""

    user_id: int
    credits: int
    credits_recomputed: int
    credits_held: int
    credits_held_recomputed: int
    credits_frozen: int
    credits_frozen_recomputed: int


class LedgerAudit(Struct, frozen=True):
    accounts: int
    entries: int
    open_holds: int
    differences: list[LedgerDifference]
    holds_out_of_step: list[int]
    """Ids of views whose hold does not fit their status."""
    payments_out_of_step: list[str]
    """Ids of payments whose grant, or what was taken back of it, is not what the ledger has of it."""

    @property
    def balanced(self) -> bool:
        return not (self.differences or self.holds_out_of_step or self.payments_out_of_step)


class LedgerAuditor(Protocol):
    async def audit(self) -> LedgerAudit: ...


class LedgerItem(Struct, frozen=True):
    id: int
    amount: int
    cause: Cause
    reference: str | None
    balance_after: int
    created_at: datetime


class OperatorLedgerItem(LedgerItem, frozen=True):
    """An entry with what only operators see."""

    reason: str | None
    operator: str | None


class LedgerReader(Protocol):
    async def balance(self, user_id: int) -> Balance | None: ...

    async def history(self, user_id: int, *, before: int | None, limit: int) -> list[LedgerItem]:
        """Entries with an id below `before`, newest first."""
        ...


class LedgerRecords(Protocol):
    """The ledger for operators."""

    async def records(self, user_id: int, *, before: int | None, limit: int) -> list[OperatorLedgerItem]:
        """Entries with an id below `before`, newest first."""
        ...
