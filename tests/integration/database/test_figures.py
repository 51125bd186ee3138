"""Figures by day, from tables in which other days stand too."""

from datetime import date, timedelta

import pytest

from domain.credits import Cause
from domain.views import View
from infrastructure.database.figures import SqlFigures
from tests.integration.database.stage import Stage

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


async def test_a_day_begins_and_ends_in_utc(stage: Stage) -> None:
    """Whatever the server's own time zone; both ends are included, and what is beyond them is not."""
    moments = [
        "2026-02-28 23:59:59.999999Z",
        "2026-03-01 00:00Z",
        "2026-03-01 23:59:59.999999Z",
        "2026-03-02 23:59:59.999999Z",
        "2026-03-03 00:00Z",
    ]
    for moment in moments:
        user = await stage.user()
        await stage.database.execute(
            "UPDATE users SET created_at = $1::text::timestamptz WHERE id = $2", moment, user.id
        )
    await stage.database.execute("ALTER DATABASE " + await _name(stage) + " SET timezone = 'Asia/Tokyo'")
    figures = SqlFigures(stage.pool)
    assert [(day.day, day.users) for day in await figures.sign_ups(FIRST, SECOND)] == [(FIRST, 2), (SECOND, 1)]
    assert [(day.day, day.users) for day in await figures.sign_ups(SECOND, SECOND)] == [(SECOND, 1)]


async def _name(stage: Stage) -> str:
    return str(await stage.database.fetchval("SELECT current_database()"))


@pytest.mark.parametrize("day", [date.min, date.max])
async def test_the_ends_of_time_are_days_like_others(stage: Stage, day: date) -> None:
    figures = SqlFigures(stage.pool)
    for ask in (figures.sign_ups, figures.renders, figures.styles, figures.credits, figures.revenue):
        assert await ask(day, day) == []


async def test_renders_are_counted_by_how_they_ended_and_timed_by_those_that_were_rendered(stage: Stage) -> None:
    """What was lent took no time; what is in progress, or was cancelled, says nothing of success."""
    user, style = await stage.user(), await stage.style()
    images = [await stage.image(user, *sides, style=style) for sides in ((View.LEFT, View.BACK), (), (), (), ())]
    rendered = "UPDATE views SET status = 'COMPLETED', attempt = 1, finished_at = accepted_at + $1 WHERE image_id = $2"
    for image, seconds in zip(images[:3], (10, 20, 40), strict=True):
        await stage.database.execute(f"{rendered} AND view = 'front'", timedelta(seconds=seconds), image.id)
    await stage.database.execute(rendered.replace("attempt = 1", "attempt = 0"), timedelta(0), images[3].id)
    await stage.database.execute("UPDATE views SET status = 'FAILED' WHERE view = 'left'")
    await stage.database.execute("UPDATE views SET status = 'CANCELLED' WHERE view = 'back'")
    await stage.database.execute(
        "UPDATE views SET finished_at = finished_at + (timestamptz '2026-03-01 12:00Z' - accepted_at)"
    )
    await stage.database.execute("UPDATE views SET accepted_at = '2026-03-01 12:00Z'")
    figures = SqlFigures(stage.pool)
    (day,) = await figures.renders(FIRST, SECOND)
    assert (day.day, day.accepted, day.completed, day.failed, day.cancelled) == (FIRST, 7, 4, 1, 1)
    assert (day.success_rate, day.median_seconds) == (0.8, 20)
    assert day.p90_seconds == pytest.approx(36)
    assert [
        (row.style_id, row.style_name, row.view, row.accepted, row.completed, row.failed)
        for row in await figures.styles(FIRST, SECOND)
    ] == [
        (style.id, style.name, View.BACK, 1, 0, 0),
        (style.id, style.name, View.FRONT, 5, 4, 0),
        (style.id, style.name, View.LEFT, 1, 0, 1),
    ]
    assert await figures.renders(SECOND, SECOND) == []


async def test_a_day_without_an_end_has_no_rate(stage: Stage) -> None:
    await stage.image(await stage.user())
    today = (await stage.now()).date()
    (day,) = await SqlFigures(stage.pool).renders(today - timedelta(days=1), today + timedelta(days=1))
    assert (day.accepted, day.success_rate, day.median_seconds, day.p90_seconds) == (1, None, None, None)


async def test_credits_are_summed_by_why_they_moved(stage: Stage) -> None:
    """Sold, given, spent, held and given back, taken back; a day's own only."""
    user = await stage.user(credits_=20)
    failed, spent = await stage.image(user, View.LEFT, held=True), await stage.image(user, held=True)
    async with stage.desk() as desk:
        for number, (amount, cause) in enumerate(
            [
                (50, Cause.PURCHASE),
                (-10, Cause.REFUND),
                (-8, Cause.DISPUTE),
                (8, Cause.DISPUTE_REVERSAL),
                (-3, Cause.REVOKE),
                (3, Cause.SIGNUP),
            ]
        ):
            await desk.accounts.record(user.id, amount, cause, natural_key=f"entry:{number}")
        for image, end in ((failed, desk.holds.void), (spent, desk.holds.post)):
            for render in image.views:
                await end(render)
        await desk.uow.commit()
    today = (await stage.now()).date()
    days = await SqlFigures(stage.pool).credits(today - timedelta(days=1), today + timedelta(days=1))
    assert sum(day.sold for day in days) == 50
    assert sum(day.granted for day in days) == 23
    assert sum(day.spent for day in days) == 1
    assert sum(day.returned for day in days) == 2
    assert sum(day.taken_back for day in days) == 13
    assert await SqlFigures(stage.pool).credits(FIRST, SECOND) == []


async def test_revenue_is_what_was_paid_by_day_and_currency(stage: Stage) -> None:
    """Orders that were never paid bring nothing; money that went back had come in all the same."""
    user = await stage.user()
    bought = [
        ("SUCCEEDED", 500, "USD", "2026-03-01 12:00Z"),
        ("REFUNDED", 250, "USD", "2026-03-01 13:00Z"),
        ("DISPUTED", 900, "EUR", "2026-03-01 14:00Z"),
        ("PENDING", 100, "USD", "2026-03-01 15:00Z"),
        ("FAILED", 100, "USD", "2026-03-01 15:00Z"),
        ("CANCELLED", 100, "USD", "2026-03-01 15:00Z"),
        ("PARTIALLY_REFUNDED", 100, "USD", "2026-03-02 00:00Z"),
        ("SUCCEEDED", 100, "USD", "2026-03-03 00:00Z"),
    ]
    for status, amount, currency, moment in bought:
        await stage.database.execute(
            "INSERT INTO transactions (user_id, credits, product_id, price, price_currency, amount, currency, status, "
            "created_at) VALUES ($1, 1, 'pdt', 100, 'USD', $2, $3, $4, $5::text::timestamptz)",
            user.id,
            amount,
            currency,
            status,
            moment,
        )
    days = await SqlFigures(stage.pool).revenue(FIRST, SECOND)
    assert [(day.day, day.currency, day.purchases, day.paid) for day in days] == [
        (FIRST, "EUR", 1, 900),
        (FIRST, "USD", 2, 750),
        (SECOND, "USD", 1, 100),
    ]
