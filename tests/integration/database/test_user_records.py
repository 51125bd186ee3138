"""How operators read accounts."""

import pytest

from application.users.ports import EVERYBODY, UserFilter
from domain.users import Role
from infrastructure.database.user_records import SqlUserRecords
from tests.fakes import InMemoryStorage
from tests.integration.database.stage import Stage

STORAGE = InMemoryStorage()


async def found(stage: Stage, only: UserFilter) -> list[str]:
    users = await SqlUserRecords(stage.pool, STORAGE).users(before=None, limit=10, only=only)
    return [user.name for user in users]


async def test_accounts_are_read_page_by_page_newest_first(stage: Stage) -> None:
    people = [await stage.user(name=name, credits_=2) for name in "abc"]
    reader = SqlUserRecords(stage.pool, STORAGE)
    first = await reader.users(before=None, limit=2, only=EVERYBODY)
    assert [(user.id, user.email, user.name, user.credits) for user in first] == [
        (user.id, user.email, user.name, 2) for user in (people[2], people[1])
    ]
    assert [user.id for user in await reader.users(before=first[-1].id, limit=2, only=EVERYBODY)] == [people[0].id]
    assert await reader.users(before=0, limit=2, only=EVERYBODY) == []


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (EVERYBODY, ["Dora", "Cyd", "Bob", "Ada Lovelace"]),
        (UserFilter(search="LOVE"), ["Ada Lovelace"]),
        (UserFilter(search="Bob@Exam"), ["Bob"]),
        (UserFilter(search="%"), []),
        (UserFilter(role=Role.ADMIN), ["Bob"]),
        (UserFilter(is_disabled=True), ["Cyd"]),
        (UserFilter(is_disabled=False, role=Role.CUSTOMER), ["Dora", "Ada Lovelace"]),
        (UserFilter(is_verified=False), ["Dora"]),
        (UserFilter(is_erased=True), ["Erased"]),
    ],
)
async def test_accounts_are_found_by_what_operators_know_of_them(
    stage: Stage, only: UserFilter, names: list[str]
) -> None:
    """A part of the address or the name, taken by the letter; erased ones only when they are asked for."""
    await stage.user(name="Ada Lovelace")
    await stage.user(name="Bob", email="bob@example.com", role=Role.ADMIN)
    await stage.user(name="Cyd", is_disabled=True)
    await stage.user(name="Dora", is_verified=False)
    await stage.user(name="Erased", deleted_at=await stage.now(), is_disabled=True)
    assert await found(stage, only) == names


async def test_an_account_is_shown_with_what_belongs_to_it(stage: Stage) -> None:
    """Counts and balances as they stand; that there is a password, and nothing of it."""
    user = await stage.user(credits_=5, password_hash="a hash", profile_picture="faces/ada.jpg")
    seen = (await stage.session_of(user)).last_used_at
    await stage.image(user, held=True)
    deleted = await stage.image(user)
    await stage.database.execute("UPDATE images SET deleted_at = now() WHERE id = $1", deleted.id)
    await stage.database.execute("UPDATE users SET credits_frozen = 1")
    shown = await SqlUserRecords(stage.pool, STORAGE).user(user.id)
    assert shown is not None
    assert (shown.credits, shown.credits_held, shown.credits_frozen, shown.credits_available) == (5, 1, 1, 3)
    assert (shown.images, shown.has_password, shown.last_seen_at, shown.oauth_provider) == (1, True, seen, None)
    assert shown.profile_picture == await STORAGE.url("faces/ada.jpg")
    assert "a hash" not in repr(shown)


async def test_nobody_is_shown_as_nothing(stage: Stage) -> None:
    assert await SqlUserRecords(stage.pool, STORAGE).user(2**63 - 1) is None
