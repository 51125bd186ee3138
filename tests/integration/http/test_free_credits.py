"""The free credits: once per person, for ever, and not without end."""

import pytest

from domain.credits import Cause
from tests.factories import RegisterFactory
from tests.integration.http.conftest import Start
from tests.integration.http.mailbox import verified
from tests.integration.http.stories import Service


async def credits_of(service: Service, email: str) -> int:
    """What somebody who signs up with this address finds on arrival."""
    api = await verified(service, RegisterFactory.build(email=email))
    return int((await api.get("/user/credits")).json()["credits"])


async def test_a_new_customer_has_three_free_credits(service: Service) -> None:
    """They come with the proof of the address, and the history says why."""
    api = await verified(service, RegisterFactory.build())
    assert (await api.get("/user/me")).json()["credits"] == 3
    (entry,) = (await api.get("/user/credits/history")).json()["items"]
    assert (entry["amount"], entry["cause"], entry["balance_after"]) == (3, Cause.SIGNUP, 3)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ada@example.com", "ada+more@example.com"),
        ("ada.lovelace@gmail.com", "adalovelace@gmail.com"),
        ("ada@gmail.com", "A.d.a+x@GoogleMail.com"),
    ],
)
async def test_another_spelling_of_a_mailbox_gets_no_second_gift(service: Service, first: str, second: str) -> None:
    """Plus tags nowhere, and dots at Gmail, make no new person."""
    assert await credits_of(service, first) == 3
    assert await credits_of(service, second) == 0


async def test_dots_make_another_person_where_they_count(service: Service) -> None:
    """Only Gmail ignores dots."""
    assert await credits_of(service, "ada.lovelace@example.com") == 3
    assert await credits_of(service, "adalovelace@example.com") == 3


async def test_the_memory_of_gifts_holds_no_address(service: Service) -> None:
    """A mailbox is remembered by a keyed hash of 32 bytes."""
    await credits_of(service, "ada@example.com")
    rows = await service.database.fetch("SELECT mailbox_hmac FROM signup_grants")
    assert [len(row["mailbox_hmac"]) for row in rows] == [32]


async def test_gifts_stop_at_the_cap_of_the_day(start: Start) -> None:
    """Who comes after the cap is a customer like any other, without the gift; operators hear of the first of them."""
    service = await start(FREE_CREDITS_DAILY_CAP="2")
    service.expected_alerts = ["free_credits_cap_reached"]
    assert [await credits_of(service, f"customer{n}@example.com") for n in range(4)] == [3, 3, 0, 0]


async def test_operators_may_give_nothing_away(start: Start) -> None:
    """With no free credits configured a customer starts with none."""
    service = await start(FREE_USER_CREDITS="0")
    assert await credits_of(service, "ada@example.com") == 0
    assert await service.count("ledger_entries") == 0
