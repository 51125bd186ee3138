from dataclasses import dataclass
from datetime import date

from msgspec import Struct

from application.actor import Actor
from application.analytics.ports import CreditDay, Figures, RenderDay, RevenueDay, SignUpDay, StyleDay
from application.ports import Clock
from domain.errors import Invalid

MOST_DAYS = 92
USUAL_DAYS = 30


class ShowAnalytics(Struct, frozen=True):
    since: date | None = None
    """The first day; without it, so many that there are 30."""
    until: date | None = None
    """The last day; without it, today."""


class Analytics(Struct, frozen=True):
    since: date
    until: date
    sign_ups: list[SignUpDay]
    renders: list[RenderDay]
    styles: list[StyleDay]
    credits: list[CreditDay]
    revenue: list[RevenueDay]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowAnalyticsHandler:
    """Show an operator how things go, day by day, over 92 days at most."""

    figures: Figures
    clock: Clock

    async def __call__(self, query: ShowAnalytics, actor: Actor) -> Analytics:
        actor.require_operator()
        until = query.until or self.clock.now().date()
        since = query.since or date.fromordinal(max(1, until.toordinal() - USUAL_DAYS + 1))
        if not 0 <= (until - since).days < MOST_DAYS:
            raise Invalid("validation_failed", f"Ask for 1 to {MOST_DAYS} days, the first one first.", field="since")
        return Analytics(
            since,
            until,
            await self.figures.sign_ups(since, until),
            await self.figures.renders(since, until),
            await self.figures.styles(since, until),
            await self.figures.credits(since, until),
            await self.figures.revenue(since, until),
        )
