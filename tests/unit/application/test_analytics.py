"""Which days figures are shown of."""

from datetime import UTC, date, datetime, timedelta

import pytest

from application.actor import Actor
from application.analytics.ports import CreditDay, Figures, RenderDay, RevenueDay, SignUpDay, StyleDay
from application.analytics.show_analytics import MOST_DAYS, ShowAnalytics, ShowAnalyticsHandler
from application.ports import Clock
from domain.errors import Forbidden, Invalid

ROOT, ADA = Actor.operator("root"), Actor.user(7, session_id=1)
TODAY = date(2026, 3, 31)


class EveryDay(Figures):
    """One sign-up a day."""

    async def sign_ups(self, since: date, until: date) -> list[SignUpDay]:
        return [SignUpDay(since + timedelta(days=day), 1) for day in range((until - since).days + 1)]

    async def renders(self, since: date, until: date) -> list[RenderDay]:
        assert since <= until
        return []

    async def styles(self, since: date, until: date) -> list[StyleDay]:
        assert since <= until
        return []

    async def credits(self, since: date, until: date) -> list[CreditDay]:
        assert since <= until
        return []

    async def revenue(self, since: date, until: date) -> list[RevenueDay]:
        assert since <= until
        return []


class LateEvening(Clock):
    def now(self) -> datetime:
        return datetime(2026, 3, 31, 23, 59, tzinfo=UTC)


show = ShowAnalyticsHandler(figures=EveryDay(), clock=LateEvening())


@pytest.mark.parametrize(
    ("asked", "since", "until"),
    [
        (ShowAnalytics(), date(2026, 3, 2), TODAY),
        (ShowAnalytics(until=date(2026, 1, 30)), date(2026, 1, 1), date(2026, 1, 30)),
        (ShowAnalytics(since=date(2026, 3, 30)), date(2026, 3, 30), TODAY),
        (ShowAnalytics(TODAY, TODAY), TODAY, TODAY),
        (ShowAnalytics(TODAY - timedelta(days=MOST_DAYS - 1)), TODAY - timedelta(days=MOST_DAYS - 1), TODAY),
        (ShowAnalytics(until=date.min), date.min, date.min),
    ],
)
async def test_thirty_days_are_shown_unless_others_are_asked_for(
    asked: ShowAnalytics, since: date, until: date
) -> None:
    """Up to today, in UTC; both ends are included."""
    shown = await show(asked, ROOT)
    assert (shown.since, shown.until, len(shown.sign_ups)) == (since, until, (until - since).days + 1)


@pytest.mark.parametrize(
    "asked",
    [
        ShowAnalytics(TODAY, TODAY - timedelta(days=1)),
        ShowAnalytics(TODAY - timedelta(days=MOST_DAYS)),
        ShowAnalytics(date.min, date.max),
        ShowAnalytics(since=date.max),
    ],
)
async def test_more_days_than_a_quarter_has_and_fewer_than_one_are_refused(asked: ShowAnalytics) -> None:
    with pytest.raises(Invalid) as refusal:
        await show(asked, ROOT)
    assert refusal.value.field == "since"


async def test_only_operators_see_figures() -> None:
    with pytest.raises(Forbidden):
        await show(ShowAnalytics(), ADA)
