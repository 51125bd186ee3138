"""What happened, day by day. Days are those of UTC; a day without anything is left out."""

from datetime import date
from typing import Protocol

from msgspec import Struct

from domain.views import View


class SignUpDay(Struct, frozen=True):
    day: date
    users: int
    """Accounts that came to be, erased ones included."""


class RenderDay(Struct, frozen=True):
    """Views by the day on which their last round was accepted; those of erased accounts are gone."""

    day: date
    accepted: int
    completed: int
    failed: int
    cancelled: int
    success_rate: float | None
    """Completed of those completed or failed; None where there is neither."""
    median_seconds: float | None
    """From accepted to stored, of what was rendered; what an earlier try-on lent takes no time, and does not count."""
    p90_seconds: float | None
    """Nine of ten took no longer."""


class StyleDay(Struct, frozen=True):
    """As `RenderDay`, of one style and view."""

    day: date
    style_id: int
    style_name: str
    view: View
    accepted: int
    completed: int
    failed: int


class CreditDay(Struct, frozen=True):
    day: date
    sold: int
    granted: int
    """By operators, and to new customers."""
    spent: int
    returned: int
    """Held for views that failed or were cancelled, and given back; those of erased accounts are gone."""
    taken_back: int
    """By operators, refunds and lost disputes, less what won disputes brought back."""


class RevenueDay(Struct, frozen=True):
    """Money by the day of the purchase, and by its currency, in minor units, tax included."""

    day: date
    currency: str
    purchases: int
    """Paid ones, those whose money went back included."""
    paid: int


class Figures(Protocol):
    """Each from one query. From one day to another, both included."""

    async def sign_ups(self, since: date, until: date) -> list[SignUpDay]: ...

    async def renders(self, since: date, until: date) -> list[RenderDay]: ...

    async def styles(self, since: date, until: date) -> list[StyleDay]: ...

    async def credits(self, since: date, until: date) -> list[CreditDay]: ...

    async def revenue(self, since: date, until: date) -> list[RevenueDay]: ...
