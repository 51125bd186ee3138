"""How profiles, credits and the catalogue are read."""

import pytest

from application.credits.ports import Balance
from application.pages import cursor_after, id_in
from domain.credits import Cause
from domain.styles import Category
from infrastructure.database.readers import SqlLedgerReader, SqlProfileReader, SqlStyleReader
from tests.fakes import InMemoryStorage
from tests.integration.database.stage import Stage

STORAGE = InMemoryStorage()
NOBODY = 2**63 - 1


async def test_a_profile_tells_what_its_owner_may_see(stage: Stage) -> None:
    """The balance as it stands, the picture as an address, and no hash of a password."""
    user = await stage.user(credits_=5, password_hash="a hash", profile_picture="faces/ada.jpg")
    await stage.image(user, held=True)
    profile = await SqlProfileReader(stage.pool, STORAGE).profile(user.id)
    assert profile is not None
    assert (profile.id, profile.email, profile.name, profile.role) == (user.id, user.email, user.name, user.role)
    assert (profile.credits, profile.credits_held, profile.is_verified) == (5, 1, True)
    assert profile.profile_picture == await STORAGE.url("faces/ada.jpg")
    assert profile.created_at == user.created_at
    assert "a hash" not in repr(profile)


async def test_a_profile_may_have_no_picture_and_nobody_has_no_profile(stage: Stage) -> None:
    reader = SqlProfileReader(stage.pool, STORAGE)
    profile = await reader.profile((await stage.user()).id)
    assert profile is not None
    assert profile.profile_picture is None
    assert await reader.profile(NOBODY) is None


async def test_a_balance_shows_what_is_held_frozen_and_free(stage: Stage) -> None:
    reader, user = SqlLedgerReader(stage.pool), await stage.user(credits_=7)
    await stage.image(user, held=True)
    await stage.database.execute("UPDATE users SET credits_frozen = 2")
    assert await reader.balance(user.id) == Balance(7, 1, 2, 4)
    assert await reader.balance(NOBODY) is None


async def test_the_history_is_read_page_by_page_newest_first(stage: Stage) -> None:
    """One's own entries, each once, though more come while one reads."""
    user, other = await stage.user(), await stage.user()
    async with stage.desk() as desk:
        for number in range(1, 8):
            for owner in (user, other):
                key = f"{owner.id}:{number}"
                await desk.accounts.record(owner.id, number, Cause.GRANT, natural_key=key, reference=key)
        await desk.uow.commit()
    reader = SqlLedgerReader(stage.pool)
    amounts, cursor = [], None
    while page := await reader.history(user.id, before=id_in(cursor), limit=3):
        amounts += [item.amount for item in page]
        cursor = cursor_after(page[-1].id)
        async with stage.desk() as desk:
            await desk.accounts.record(user.id, 100, Cause.GRANT, natural_key=f"new:{cursor}")
            await desk.uow.commit()
    assert amounts == [7, 6, 5, 4, 3, 2, 1]
    first = (await reader.history(user.id, before=None, limit=1))[0]
    assert (first.amount, first.cause, first.reference) == (100, Cause.GRANT, None)


async def test_a_cursor_at_the_very_beginning_is_an_empty_page(stage: Stage) -> None:
    """No entry has an id below it: it does not begin again from the newest."""
    user = await stage.user(credits_=1)
    assert await SqlLedgerReader(stage.pool).history(user.id, before=0, limit=5) == []


async def test_the_catalogue_shows_active_styles_in_their_order(stage: Stage) -> None:
    """Their pictures as addresses, and none of their prompts."""
    second = await stage.style(position=2, category=Category.CELEBRITY)
    first = await stage.style(position=1)
    await stage.style(position=0, is_active=False)
    also_second = await stage.style(position=2)
    items = await SqlStyleReader(stage.pool, STORAGE).active(None)
    assert [item.id for item in items] == [first.id, second.id, also_second.id]
    assert items[0].thumbnail_url == await STORAGE.url(first.thumbnail)
    assert first.prompts[0].front not in repr(items)


@pytest.mark.parametrize("category", Category)
async def test_the_catalogue_can_be_read_by_category(stage: Stage, category: Category) -> None:
    for each in Category:
        await stage.style(category=each)
    items = await SqlStyleReader(stage.pool, STORAGE).active(category)
    assert [item.category for item in items] == [category]


async def test_an_empty_catalogue_is_an_empty_list(stage: Stage) -> None:
    assert await SqlStyleReader(stage.pool, STORAGE).active(None) == []
