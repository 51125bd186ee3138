"""The gate before the image model: what all workers together know of it, and how often they may ask."""

from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from domain.views import ViewError

FAILURES = 20
"""So many creates in a row that the provider did not answer close the gate,"""
OVER_IMAGES = 5
"""if they were for this many try-ons at least: one alone may be the cause itself."""
PROBE_AFTER = timedelta(seconds=5)
"""How long the gate stays closed until one more create is let through to see whether the provider is back."""
UNPAID_PAUSE = timedelta(seconds=60)
"""The same, when the provider's credit is exhausted: somebody has to pay first."""

_MINUTE = timedelta(minutes=1)


class CreateRate(Struct, frozen=True):
    """How many creates may be made in any minute: a few at once, the others evenly spread."""

    per_minute: int

    @property
    def burst(self) -> int:
        """So many may be made at once after a quiet time."""
        return max(1, self.per_minute // 20)

    @property
    def interval(self) -> timedelta:
        """Between two creates that are not of the burst, so that both together stay within the minute's number."""
        return _MINUTE / (self.per_minute - self.burst + 1)

    @property
    def allowance(self) -> timedelta:
        """How far ahead of the even spread the creates may be: the burst, less the one that asks."""
        return self.interval * (self.burst - 1)

    @property
    def between_returns(self) -> timedelta:
        """Between two of those who were turned away: a little less, for some of them find nothing left to do."""
        return self.interval * 0.8


class TurnedAway(Struct, frozen=True):
    """The provider is not to be asked now."""

    until: datetime
    """When to come back. Everybody gets a time of their own, so that they do not come all at once."""
    error: ViewError
    """`provider_unavailable` while the gate is closed, `provider_busy` when too many ask."""


class ModelGate(Protocol):
    """Each call belongs to the transaction of its handler, and comes last in it: workers wait here for one another."""

    async def admit(self) -> TurnedAway | None:
        """Take one create, or hear when to come back; nothing is taken then.

        While the gate is closed, one caller after `PROBE_AFTER` is let through to see whether the provider is back.
        """
        ...

    async def answered(self) -> None:
        """The provider answered a create, be it with a refusal: it is there, and the gate opens."""
        ...

    async def failed(self, image_id: int) -> None:
        """The provider did not answer a create: count it, and close the gate when there were enough in a row."""
        ...

    async def unpaid(self) -> TurnedAway:
        """The provider asks for money first: close the gate for `UNPAID_PAUSE`, and alert an operator once."""
        ...
