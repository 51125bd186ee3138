"""A payment at the provider: what it granted, and how much of that was taken back or is frozen.

The provider tells of a payment, its refunds and its disputes in any order, and more than once. So each is a fact that
only ever becomes more final, and what follows for the credits is computed from the facts as they stand: any order and
repetition of the same news ends in the same balance. Where the provider contradicts itself, what is more final counts,
then what is more; and what is told in another currency than was paid in is kept beside it, and never counts.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class RefundStatus(StrEnum):
    """A refund's way, in the order of finality: what comes later here is never undone by what comes earlier."""

    PENDING = "PENDING"
    FAILED = "FAILED"
    SUCCEEDED = "SUCCEEDED"


class DisputeState(StrEnum):
    """A dispute's way, in the order of finality: a final state beats an open one, and lost beats won."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


_FINALITY: dict[str, int] = {
    state: place for states in (RefundStatus, DisputeState) for place, state in enumerate(states)
}


@dataclass(kw_only=True, eq=False)
class Refund:
    """Money on its way back to the payer; amounts are minor units of its currency."""

    id: str
    amount: int
    currency: str
    status: RefundStatus
    noted_at: datetime

    def learn(self, status: RefundStatus, amount: int) -> bool:
        """Take news in; False when it stands as it stood."""
        was = self.status
        if (_FINALITY[status], amount) > (_FINALITY[was], self.amount):
            self.status, self.amount = status, amount
        return self.status is not was


@dataclass(kw_only=True, eq=False)
class Dispute:
    """A payer's claim, by way of their bank, that a payment was not theirs or not right."""

    id: str
    amount: int
    currency: str
    state: DisputeState
    noted_at: datetime

    def learn(self, state: DisputeState, amount: int) -> bool:
        """Take news in; False when it stands as it stood."""
        was = self.state
        if (_FINALITY[state], amount) > (_FINALITY[was], self.amount):
            self.state, self.amount = state, amount
        return self.state is not was


class Reckoning(Struct, frozen=True):
    """What the credits of a payment's owner have to follow."""

    taken: int
    """Credits to take back now."""
    frozen: int
    """Change of what is frozen; negative when credits come free."""


@dataclass(kw_only=True, eq=False)
class Payment:
    """What is known of one payment. It grants nothing until it is tied to the order it was made for."""

    id: str
    transaction_id: int | None = None
    total: int = 0
    """What was paid, tax included, in minor units of the currency."""
    currency: str = ""
    granted: int = 0
    taken: int = 0
    """Credits taken back in all: never more than were granted."""
    frozen: int = 0
    """Credits of the grant that cannot be spent while a dispute is open."""
    heard_at: datetime
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    def grant(self, transaction_id: int, amount: int, *, total: int, currency: str) -> None:
        """Tie it to its order, for so many credits. That it is so once, whoever calls has made sure of."""
        self.transaction_id, self.granted = transaction_id, amount
        self.total, self.currency = total, currency

    def note_refund(self, refund: Refund) -> bool:
        """Take news of a refund in; False when it is none."""
        known = next((known for known in self.refunds if _same(known, refund)), None)
        if known is not None:
            return known.learn(refund.status, refund.amount)
        self.refunds.append(refund)
        return True

    def note_dispute(self, dispute: Dispute) -> bool:
        """Take news of a dispute in; False when it is none."""
        known = next((known for known in self.disputes if _same(known, dispute)), None)
        if known is not None:
            return known.learn(dispute.state, dispute.amount)
        self.disputes.append(dispute)
        return True

    def speaks(self, currency: str) -> bool:
        """Whether an amount in this currency can be compared with what was paid; before that is known, it may be."""
        return currency == (self.currency or currency)

    @property
    def incomparable(self) -> bool:
        """Something is told in another currency than was paid in: what follows from it only an operator can say."""
        currencies = {told.currency for told in self.refunds} | {told.currency for told in self.disputes}
        return not all(self.speaks(currency) for currency in currencies)

    @property
    def refunded(self) -> dict[str, int]:
        """Minor units that went back to the payer, by refund."""
        succeeded = (told for told in self.refunds if told.status is RefundStatus.SUCCEEDED)
        return {told.id: told.amount for told in succeeded if self.speaks(told.currency)}

    @property
    def returned(self) -> int:
        """Minor units that went back to the payer, by refunds and by lost disputes; the total at most."""
        lost = (told for told in self.disputes if told.state is DisputeState.LOST)
        amounts = [told.amount for told in lost if self.speaks(told.currency)]
        return min(self.total, sum(self.refunded.values()) + sum(amounts))

    @property
    def disputed(self) -> bool:
        """A dispute is open or was lost."""
        return self._has_dispute(DisputeState.OPEN, DisputeState.LOST)

    def reckon(self) -> Reckoning:
        """Bring what is taken and frozen in line with the facts; returns what the owner's credits have to follow.

        Taken back is the granted credits' share of what was returned, rounded up: a full refund takes all, and no sum
        of partial ones takes more.
        """
        taken = self._share_of(self.returned)
        frozen = self.granted - taken if self._has_dispute(DisputeState.OPEN) else 0
        reckoning = Reckoning(taken=taken - self.taken, frozen=frozen - self.frozen)
        self.taken, self.frozen = taken, frozen
        return reckoning

    def _share_of(self, amount: int) -> int:
        if not amount:
            return self.taken
        share = -(-self.granted * amount // self.total)
        return max(self.taken, min(self.granted, share))

    def _has_dispute(self, *states: DisputeState) -> bool:
        return any(dispute.state in states and self.speaks(dispute.currency) for dispute in self.disputes)


def _same(known: Refund | Dispute, told: Refund | Dispute) -> bool:
    return (known.id, known.currency) == (told.id, told.currency)
