"""Signing in with Google, played by a browser that goes to the sandbox's consent page and back."""

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.contract.conftest import RunningSandbox
from tests.factories import RegisterFactory, new_email, photo
from tests.integration.http.conftest import Start
from tests.integration.http.mailbox import mailed_token, register, verified
from tests.integration.http.stories import Service
from tests.integration.http.test_browsers import cookies_set

FRONTEND = "https://app.example.com/auth/callback"
CALLBACK = "https://api.example.com/api/v1/auth/google/callback"


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[RunningSandbox]:
    running = RunningSandbox()
    yield running
    running.stop()


@pytest.fixture
def sandbox(_sandbox: RunningSandbox) -> RunningSandbox:
    _sandbox.script("google")
    return _sandbox


def google(sandbox: RunningSandbox) -> dict[str, Any]:
    return {
        "GOOGLE_ISSUER": f"{sandbox.url}/google",
        "GOOGLE_CLIENT_ID": "the-client",
        "GOOGLE_CLIENT_SECRET": secrets.token_hex(8),
    }


@pytest.fixture
async def service(start: Start, sandbox: RunningSandbox) -> Service:
    return await start(**google(sandbox))


def person(**about: Any) -> dict[str, str]:
    """Somebody with an account at Google."""
    usual = {"sub": str(secrets.randbelow(10**20)), "email": new_email(), "email_verified": "true", "name": "Ada"}
    return usual | about


async def at_google(browser: httpx.AsyncClient, path: str = "/") -> str:
    """Where the browser is sent."""
    begun = await browser.get("/auth/google", params={"next": path})
    assert begun.status_code == 303, begun.text
    return str(begun.headers["location"])


async def consent(address: str, form: dict[str, str]) -> str:
    """Say yes, or no, on the consent page; where the browser is sent back to."""
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        answered = await elsewhere.post(address, data=form)
    assert answered.status_code == 303, answered.text
    return str(answered.headers["location"])


async def bring(browser: httpx.AsyncClient, address: str) -> dict[str, str]:
    """Come back; what the frontend is told."""
    back = await browser.get(address)
    assert (back.status_code, back.headers["cache-control"]) == (303, "no-store"), back.text
    page, _, query = back.headers["location"].partition("?")
    assert page == FRONTEND
    return dict(parse_qsl(query))


async def sign_in(browser: httpx.AsyncClient, form: dict[str, str], path: str = "/") -> dict[str, str]:
    return await bring(browser, await consent(await at_google(browser, path), form))


async def profile(browser: httpx.AsyncClient) -> dict[str, Any]:
    answer = await browser.get("/user/me")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


# Who gets in, as whom


async def test_somebody_new_signs_in_with_two_clicks(service: Service) -> None:
    """They have a verified account, free credits, no password, and are where they wanted to go."""
    browser, ada = service.browser(), person()
    assert await sign_in(browser, ada, "/gallery?page=2") == {"success": "true", "next": "/gallery?page=2"}
    me = await profile(browser)
    assert (me["email"], me["name"], me["oauth_provider"]) == (ada["email"], "Ada", "google")
    assert (me["is_verified"], me["credits"]) == (True, 3)
    assert await service.database.fetchval("SELECT password_hash IS NULL FROM users")


async def test_tokens_travel_in_cookies_only(service: Service) -> None:
    """HttpOnly, Secure, SameSite; no address holds one, and the attempt's own cookie is gone afterwards."""
    browser = service.browser()
    begun = await browser.get("/auth/google")
    attempt = cookies_set(begun)["google_attempt"]
    assert (attempt["path"], attempt["samesite"], attempt["max-age"]) == ("/api/v1/auth/google", "lax", "600")
    assert attempt["httponly"]
    assert attempt["secure"]
    back = await browser.get(await consent(begun.headers["location"], person()))
    cookies = cookies_set(back)
    assert set(cookies) == {"google_attempt", "access_token", "refresh_token"}
    assert all(cookie["httponly"] and cookie["secure"] for cookie in cookies.values())
    assert (cookies["google_attempt"].value, cookies["google_attempt"]["max-age"]) == ("", "0")
    tokens = [cookies[name].value for name in ("access_token", "refresh_token")]
    assert not any(token in back.headers["location"] for token in tokens)
    assert begun.headers["cache-control"] == "no-store"


async def test_the_attempts_cookie_is_lax_whatever_the_others_are(start: Start, sandbox: RunningSandbox) -> None:
    """A strict one would not be there when the browser comes back from Google."""
    service = await start(COOKIE_SAMESITE="strict", **google(sandbox))
    browser = service.browser()
    begun = await browser.get("/auth/google")
    assert cookies_set(begun)["google_attempt"]["samesite"] == "lax"
    back = await browser.get(await consent(begun.headers["location"], person()))
    assert cookies_set(back)["access_token"]["samesite"] == "strict"


async def test_the_same_person_with_another_address_has_the_same_account(service: Service) -> None:
    """And the account keeps its address."""
    ada = person()
    browser = service.browser()
    await sign_in(browser, ada)
    before = await profile(browser)
    again = service.browser()
    await sign_in(again, ada | {"email": new_email(), "name": "Countess"})
    assert await profile(again) == before


async def test_the_same_address_of_another_person_is_refused(service: Service) -> None:
    ada = person()
    await sign_in(service.browser(), ada)
    browser = service.browser()
    assert await sign_in(browser, person(email=ada["email"])) == {"error": "conflict"}
    assert (await browser.get("/user/me")).status_code == 401


async def test_an_account_with_a_proved_address_is_tied_and_keeps_everything(service: Service) -> None:
    """The password goes on working, nobody is logged out, and nothing is granted again."""
    customer = RegisterFactory.build()
    earlier = await verified(service, customer)
    browser = service.browser()
    await sign_in(browser, person(email=customer.email.upper(), name="Somebody"))
    assert (await profile(browser))["id"] == (await profile(earlier))["id"]
    assert (await profile(earlier))["credits"] == 3
    assert (await profile(earlier))["name"] == customer.name
    password = {"email": customer.email, "password": customer.password}
    assert (await service.browser().post("/auth/login", json=password)).status_code == 200


async def test_a_squatter_has_nothing_once_the_owner_comes(service: Service) -> None:
    """The account that stood on an unproved address: its sessions, both their tokens, its password and every link."""
    squatter = await service.customer(credits=0, is_verified=False, password_hash="$argon2id$of-the-squatter")
    waiting = RegisterFactory.build(email=squatter.email)
    link = await mailed_token(service, waiting)
    assert (await squatter.api.get("/user/me")).status_code == 200
    browser = service.browser()
    assert (await sign_in(browser, person(email=squatter.email)))["success"] == "true"
    assert (await squatter.api.get("/user/me")).status_code == 401
    used = await service.browser().post("/auth/verify", json={"token": link})
    assert (used.status_code, used.json()["code"]) == (400, "token_invalid")
    password = {"email": squatter.email, "password": waiting.password}
    assert (await service.browser().post("/auth/login", json=password)).json()["code"] == "invalid_credentials"
    me = await profile(browser)
    assert (me["id"], me["is_verified"], me["credits"]) == (squatter.id, True, 3)
    assert await service.database.fetchval("SELECT password_hash FROM users WHERE id = $1", squatter.id) is None


async def test_a_sign_up_that_waits_gives_way(service: Service) -> None:
    """Whoever registered the address first gets nothing when its owner comes by Google."""
    squatter = RegisterFactory.build()
    await register(service, squatter)
    await sign_in(service.browser(), person(email=squatter.email))
    answer = await service.browser().post("/auth/login", json={"email": squatter.email, "password": squatter.password})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert await service.count("registrations") == 0


async def test_an_unverified_address_never_signs_in(service: Service) -> None:
    ada = person()
    assert await sign_in(service.browser(), ada | {"email_verified": "false"}) == {"error": "email_not_verified"}
    assert await service.count("users") == 0
    await sign_in(service.browser(), ada)
    assert await sign_in(service.browser(), ada | {"email_verified": "false"}) == {"error": "email_not_verified"}


async def test_a_disabled_account_stays_closed(service: Service) -> None:
    ada, browser = person(), service.browser()
    await sign_in(browser, ada)
    await service.database.execute("UPDATE users SET is_disabled = true")
    assert await sign_in(browser, ada) == {"error": "account_disabled"}


async def test_two_returns_at_once_make_one_account(service: Service) -> None:
    """Two tabs, one person: both are signed in, and the credits came once."""
    ada = person()
    browsers = [service.browser() for _ in range(4)]
    returns = [await consent(await at_google(browser), ada) for browser in browsers]
    told = await asyncio.gather(*(bring(browser, back) for browser, back in zip(browsers, returns, strict=True)))
    assert [each.get("success") for each in told] == ["true"] * 4
    assert len({(await profile(browser))["id"] for browser in browsers}) == 1
    assert (await service.count("users"), await service.count("ledger_entries")) == (1, 1)


async def test_two_people_with_one_address_at_once_are_one_account_and_one_refusal(service: Service) -> None:
    email = new_email()
    browsers = [service.browser() for _ in range(2)]
    returns = [await consent(await at_google(browser), person(email=email)) for browser in browsers]
    told = await asyncio.gather(*(bring(browser, back) for browser, back in zip(browsers, returns, strict=True)))
    assert sorted(each.get("error", "") for each in told) == ["", "conflict"]
    assert await service.count("users") == 1


# What a return is held to


async def test_a_denial_is_told(service: Service) -> None:
    browser = service.browser()
    assert await sign_in(browser, {"deny": "true"}) == {"error": "access_denied"}
    assert (await browser.get("/user/me")).status_code == 401


async def test_a_return_without_its_state_is_refused(service: Service) -> None:
    browser = service.browser()
    back = await consent(await at_google(browser), person())
    for query in ("", "?code=4/x", "?error=access_denied", f"?{urlsplit(back).query.replace('state=', 'state=x')}"):
        assert await bring(browser, CALLBACK + query) == {"error": "oauth_state_invalid"}
        await at_google(browser)
    assert await service.count("users") == 0


async def test_a_return_in_another_browser_is_refused(service: Service) -> None:
    """Nobody is signed in to an account of somebody else's choice."""
    attacker, victim = service.browser(), service.browser()
    back = await consent(await at_google(attacker), person())
    assert await bring(victim, back) == {"error": "oauth_state_invalid"}
    await at_google(victim)
    assert await bring(victim, back) == {"error": "oauth_state_invalid"}
    assert await service.count("sessions") == 0


async def test_a_return_counts_once(service: Service) -> None:
    """Though the browser be given its cookie again, and also when two come at the same time."""
    browser = service.browser()
    back = await consent(await at_google(browser), person())
    kept = {"Cookie": f"google_attempt={browser.cookies['google_attempt']}"}
    thieves = [service.browser(**kept) for _ in range(3)]
    told = await asyncio.gather(*(bring(thief, back) for thief in thieves))
    assert sorted(each.get("error", "") for each in told) == ["", "oauth_state_invalid", "oauth_state_invalid"]
    assert await service.count("sessions") == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"iss": "https://accounts.google.com"}},
        {"claims": {"aud": "another-client"}},
        {"claims": {"azp": "another-client"}},
        {"claims": {"exp": 1}},
        {"signature": "none"},
        {"signature": "HS256"},
        {"signature": "forged"},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_right_signs_nobody_in(
    service: Service, sandbox: RunningSandbox, fault: dict[str, Any]
) -> None:
    sandbox.script("google", {"on": "token", "id_token": fault})
    browser = service.browser()
    assert await sign_in(browser, person()) == {"error": "token_invalid"}
    assert (await browser.get("/user/me")).status_code == 401
    assert await service.count("users") == 0


async def test_a_code_of_another_attempt_is_not_taken(service: Service) -> None:
    """It needs the verifier that its own browser holds."""
    browser, attacker = service.browser(), service.browser()
    own = dict(parse_qsl(urlsplit(await consent(await at_google(browser), person())).query))
    other = dict(parse_qsl(urlsplit(await consent(await at_google(attacker), person())).query))
    injected = httpx.URL(CALLBACK, params=own | {"code": other["code"]})
    assert await bring(browser, str(injected)) == {"error": "token_invalid"}


async def test_another_issuers_answer_is_not_taken(service: Service) -> None:
    browser = service.browser()
    own = dict(parse_qsl(urlsplit(await consent(await at_google(browser), person())).query))
    mixed_up = httpx.URL(CALLBACK, params=own | {"iss": "https://issuer.example"})
    assert await bring(browser, str(mixed_up)) == {"error": "token_invalid"}


async def test_a_rotated_key_is_taken(service: Service, sandbox: RunningSandbox) -> None:
    await sign_in(service.browser(), person())
    async with httpx.AsyncClient(trust_env=False) as operator:
        await operator.post(f"{sandbox.url}/google/__control/keys")
    assert (await sign_in(service.browser(), person()))["success"] == "true"


@pytest.mark.parametrize("operation", ["token", "jwks"])
async def test_a_provider_that_is_away_is_told(service: Service, sandbox: RunningSandbox, operation: str) -> None:
    sandbox.script("google", {"on": operation, "reply": {"status": 503}})
    browser = service.browser()
    assert await sign_in(browser, person()) == {"error": "provider_unavailable"}
    assert (await sign_in(browser, person()))["success"] == "true"


async def test_without_a_discovery_document_nobody_is_sent_anywhere(service: Service, sandbox: RunningSandbox) -> None:
    sandbox.script("google", {"on": "discovery", "reply": {"status": 500}})
    answer = await service.browser().get("/auth/google")
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "/%2Fevil.example", "/%09/x", "gallery", ""]
)
async def test_next_leads_to_the_frontend_only(service: Service, path: str) -> None:
    answer = await service.browser().get("/auth/google", params={"next": path})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert [error["field"] for error in answer.json()["errors"]] == ["next"]


async def test_the_way_back_does_not_follow_the_host_header(service: Service) -> None:
    browser = service.browser(Host="evil.example")
    address = dict(parse_qsl(urlsplit(await at_google(browser)).query))["redirect_uri"]
    assert address == CALLBACK


async def test_without_a_frontend_the_browser_ends_at_the_api(start: Start, sandbox: RunningSandbox) -> None:
    service = await start(FRONTEND_URL="", **google(sandbox))
    back = await service.browser().get("/auth/google/callback")
    assert back.headers["location"] == "https://api.example.com/auth/callback?error=oauth_state_invalid"


async def test_without_a_client_there_is_no_such_sign_in(start: Start) -> None:
    service = await start()
    for path in ("/auth/google", "/auth/google/callback?code=x&state=y"):
        answer = await service.browser().get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# The picture


async def test_the_picture_at_google_becomes_ours(service: Service) -> None:
    """A copy in our own encoding and storage: nothing leads the customer's browser to Google."""
    browser = service.browser()
    await sign_in(browser, {"person": "100000000000000000001"})
    assert (await profile(browser))["profile_picture"] is None
    await service.work()
    (key,) = service.storage.pictures
    assert key.startswith("pictures/profile/")
    assert service.storage.pictures[key].startswith(b"\xff\xd8\xff")
    assert (await profile(browser))["profile_picture"] == f"https://pictures.test/{key}"


async def test_a_picture_that_is_away_is_fetched_later(service: Service, sandbox: RunningSandbox) -> None:
    sandbox.script("google", {"on": "picture", "reply": {"status": 503}})
    browser = service.browser()
    await sign_in(browser, {"person": "100000000000000000001"})
    await service.work()
    assert service.storage.pictures == {}
    await service.work_for(60)
    assert len(service.storage.pictures) == 1


@pytest.mark.parametrize("reply", [{"status": 404}, {"text": "<html>"}, {"base64": ""}], ids=str)
async def test_a_picture_that_cannot_be_had_is_done_without(
    service: Service, sandbox: RunningSandbox, reply: dict[str, Any]
) -> None:
    sandbox.script("google", {"on": "picture", "times": None, "reply": reply})
    browser = service.browser()
    await sign_in(browser, {"person": "100000000000000000002"})
    await service.work()
    assert (await profile(browser))["profile_picture"] is None
    assert await service.count("outbox") == 0


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "https://evil.example/a.jpg", "http://127.0.0.1:1/a.jpg", "file:///etc/x"]
)
async def test_a_picture_elsewhere_is_not_fetched(service: Service, url: str) -> None:
    """Whatever address an account names."""
    browser = service.browser()
    await sign_in(browser, person(picture=url))
    await service.work()
    assert (await profile(browser))["profile_picture"] is None
    assert await service.count("outbox") == 0


async def test_a_picture_that_the_customer_chose_stays(service: Service) -> None:
    browser = service.browser()
    await sign_in(browser, {"person": "100000000000000000001"})
    origin = {"Origin": "https://app.example.com"}
    chosen = await browser.put("/user/me/picture", files={"file": ("me.jpg", photo())}, headers=origin)
    assert chosen.status_code == 200, chosen.text
    await service.work()
    assert (await profile(browser))["profile_picture"] == chosen.json()["profile_picture"]
    assert len(service.storage.pictures) == 1
