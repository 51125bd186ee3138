"""Guessing passwords: how fast it goes, and what the owner notices of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from dishka import Provider, Scope

from application.auth.ports import LoginThrottle
from application.auth.register import Register
from bootstrap.settings import Settings
from infrastructure.throttle import Pace, Paces, RedisThrottle
from tests.factories import RegisterFactory, new_email
from tests.integration.http.conftest import Start
from tests.integration.http.mailbox import mailed_token, mails_to, register, token_in, verified
from tests.integration.http.scrape import counted
from tests.integration.http.stories import HOME, Service

SLOW = Paces(one_network=Pace(free=4, first=3600, longest=7200), all_networks=Pace(free=20, first=3600, longest=7200))
"""The real numbers of guesses, with delays so long that none ends within a test, however slow the machine is."""
ELSEWHERE = "192.0.2.99"


async def slow_throttle(settings: Settings) -> AsyncIterator[LoginThrottle]:
    throttle = RedisThrottle(settings.redis_url, key=settings.pseudonym_key, paces=SLOW)
    yield throttle
    await throttle.aclose()


@pytest.fixture
async def guarded(start: Start) -> Service:
    """A service whose proxy is trusted, so that tests can come from anywhere."""
    provider = Provider(scope=Scope.APP)
    provider.provide(slow_throttle, override=True)
    return await start(provider, TRUSTED_PROXIES="203.0.113.0/24")


@pytest.fixture
async def owner(guarded: Service) -> Register:
    somebody = RegisterFactory.build()
    await verified(guarded, somebody)
    return somebody


async def log_in(service: Service, email: str, password: str, *, ip: str = HOME) -> httpx.Response:
    browser = service.browser(X_Forwarded_For=ip)
    return await browser.post("/auth/login", json={"email": email, "password": password})


async def guesses(service: Service, email: str, times: int, *, ip: str = HOME) -> list[int]:
    return [(await log_in(service, email, f"wrong-{number}", ip=ip)).status_code for number in range(times)]


def assert_throttled(response: httpx.Response) -> None:
    """429, with the seconds until it makes sense to come back."""
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(response.headers["Retry-After"]) <= 7201


async def test_after_five_wrong_passwords_the_right_one_has_to_wait_too(guarded: Service, owner: Register) -> None:
    """So that a guesser does not learn which guess was right; however the address is spelt. Each wait is counted."""
    assert await guesses(guarded, owner.email, 5) == [401] * 5
    for email in (owner.email, f" {owner.email.upper()} "):
        assert_throttled(await log_in(guarded, email, owner.password))
    assert await counted(guarded, "hairtryon_sign_ins_held_up_total") == {(): 2}


async def test_the_owner_elsewhere_is_not_delayed_by_one_guesser(guarded: Service, owner: Register) -> None:
    """Nor is another account in the guesser's own network."""
    assert await guesses(guarded, owner.email, 6) == [401] * 5 + [429]
    assert (await log_in(guarded, owner.email, owner.password, ip=ELSEWHERE)).status_code == 200
    neighbour = RegisterFactory.build()
    await verified(guarded, neighbour)
    assert (await log_in(guarded, neighbour.email, neighbour.password)).status_code == 200


async def test_guessing_one_account_from_thirty_networks_is_delayed(guarded: Service, owner: Register) -> None:
    """Twenty-one guesses, then everybody waits but who signed in from the same network lately."""
    assert (await log_in(guarded, owner.email, owner.password)).status_code == 200
    codes = [(await guesses(guarded, owner.email, 1, ip=f"198.51.{number}.1"))[0] for number in range(30)]
    assert codes == [401] * 21 + [429] * 9
    assert_throttled(await log_in(guarded, owner.email, owner.password, ip=ELSEWHERE))
    assert (await log_in(guarded, owner.email, owner.password)).status_code == 200


@pytest.mark.parametrize("way", ["the mailed link", "a refresh token", "a new password"])
async def test_who_came_by_another_way_is_known_there_too(guarded: Service, way: str) -> None:
    """An owner away from home whom guessers keep waiting: there is always a way that ends the waiting for good."""
    owner = RegisterFactory.build()
    home, away = guarded.browser(), guarded.browser(X_Forwarded_For=ELSEWHERE)
    link = {"token": await mailed_token(guarded, owner)}
    tokens = (await (away if way == "the mailed link" else home).post("/auth/verify", json=link)).json()
    if way == "a refresh token":
        await away.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    if way == "a new password":
        await home.post("/auth/forgot-password", json={"email": owner.email})
        await guarded.work()
        link = {"token": token_in(mails_to(guarded, owner.email)[-1])}
        await away.post("/auth/reset-password", json=link | {"new_password": owner.password})
    for number in range(22):
        await guesses(guarded, owner.email, 1, ip=f"198.51.{number}.1")
    assert_throttled(await log_in(guarded, owner.email, owner.password, ip="192.0.100.1"))
    assert (await log_in(guarded, owner.email, owner.password, ip=ELSEWHERE)).status_code == 200


async def test_forwarded_addresses_of_strangers_count_as_one(start: Start) -> None:
    """A rotating `X-Forwarded-For` is one network unless a proxy of ours wrote it."""
    provider = Provider(scope=Scope.APP)
    provider.provide(slow_throttle, override=True)
    service = await start(provider)
    email = new_email()
    codes = [(await guesses(service, email, 1, ip=f"198.51.{number}.1"))[0] for number in range(7)]
    assert codes == [401] * 5 + [429] * 2


async def test_unknown_addresses_are_throttled_like_known_ones(guarded: Service, owner: Register) -> None:
    """An account, a sign-up that waits, nobody's address and what is no address: status, words and headers agree."""
    waiting = RegisterFactory.build()
    await register(guarded, waiting)
    told = []
    for email in (owner.email, waiting.email, new_email(), "no address"):
        answers = [await log_in(guarded, email, "wrong") for _ in range(7)]
        told.append(
            [
                (answer.status_code, answer.json()["code"], answer.json()["detail"], sorted(answer.headers))
                for answer in answers
            ]
        )
    assert [code for code, *_ in told[0]] == [401] * 5 + [429] * 2
    assert told == [told[0]] * 4


async def test_parallel_guesses_gain_nothing(guarded: Service, owner: Register) -> None:
    """Thirty at once: five are looked at, among them the right password or not."""
    passwords = [f"wrong-{number}" for number in range(29)]
    answers = await asyncio.gather(*(log_in(guarded, owner.email, password) for password in passwords))
    assert Counter(answer.status_code for answer in answers) == Counter({401: 5, 429: 24})


async def test_the_right_password_begins_a_new_count(guarded: Service, owner: Register) -> None:
    for _ in range(4):
        assert await guesses(guarded, owner.email, 4) == [401] * 4
        assert (await log_in(guarded, owner.email, owner.password)).status_code == 200


async def test_a_sign_up_of_ones_own_buys_no_guesses(guarded: Service, owner: Register) -> None:
    """Somebody signs up with the owner's address, so as to know a password that is "right" now and then."""
    squatter = Register(owner.email, "squatters-password", "Eve")
    await register(guarded, squatter)
    codes = []
    for _ in range(3):
        codes += await guesses(guarded, owner.email, 2)
        codes.append((await log_in(guarded, owner.email, squatter.password)).status_code)
    assert codes == [401, 401, 403, 401, 401, 429, 429, 429, 429]


async def test_many_accounts_from_one_address_meet_its_limit(start: Start) -> None:
    """One guess each is no failure to speak of for any account: there the limit per address holds."""
    service = await start(RATE_LIMIT_AUTH="10/hour")
    codes = [(await log_in(service, new_email(), "password1")).status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
