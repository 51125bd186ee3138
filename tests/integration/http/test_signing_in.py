"""Signing in, staying signed in, and signing out."""

import asyncio

import httpx

from tests.factories import RegisterFactory, new_email
from tests.integration.http.mailbox import mailed_token, mails_to, register, token_in, verified
from tests.integration.http.stories import Service

WRONG = (401, "invalid_credentials")
ENDED = (401, "not_authenticated")


def outcome(response: httpx.Response) -> tuple[int, str | None]:
    return response.status_code, response.json().get("code") if response.content else None


async def log_in(service: Service, email: str, password: str) -> httpx.Response:
    return await service.browser().post("/auth/login", json={"email": email, "password": password})


async def refresh(service: Service, token: str) -> httpx.Response:
    return await service.browser().post("/auth/refresh", json={"refresh_token": token})


async def log_out(service: Service, access: str, refresh_token: str | None = None) -> httpx.Response:
    body = {"refresh_token": refresh_token} if refresh_token else None
    return await service.browser(Authorization=f"Bearer {access}").post("/auth/logout", json=body)


async def look(service: Service, access: str) -> tuple[int, str | None]:
    return outcome(await service.browser(Authorization=f"Bearer {access}").get("/user/me"))


async def signed_in(service: Service) -> tuple[str, str]:
    """The access and refresh token of somebody new."""
    token = await mailed_token(service, RegisterFactory.build())
    pair = (await service.browser().post("/auth/verify", json={"token": token})).json()
    return pair["access_token"], pair["refresh_token"]


async def test_the_right_password_signs_in_and_no_other(service: Service) -> None:
    """The address counts in any case; a wrong password and an unknown or impossible address are told alike."""
    owner = RegisterFactory.build()
    await verified(service, owner)
    welcome = await log_in(service, f" {owner.email.upper()} ", owner.password)
    assert welcome.status_code == 200
    assert await look(service, welcome.json()["access_token"]) == (200, None)
    attempts = [(owner.email, "wrong"), (owner.email, ""), (new_email(), owner.password), ("nobody", "x"), ("", "")]
    refusals = [await log_in(service, email, password) for email, password in attempts]
    assert [outcome(refusal) for refusal in refusals] == [WRONG] * len(attempts)
    assert len({refusal.json()["detail"] for refusal in refusals}) == 1


async def test_an_unverified_address_is_told_only_after_the_right_password(service: Service) -> None:
    """Who knows the password is asked to use the link; who does not learns nothing."""
    somebody = RegisterFactory.build()
    await register(service, somebody)
    assert outcome(await log_in(service, somebody.email, somebody.password)) == (403, "email_not_verified")
    assert outcome(await log_in(service, somebody.email, "wrong")) == WRONG


async def test_a_disabled_account_is_refused_everywhere_at_once(service: Service) -> None:
    """Its password, its access token and its refresh token stop working."""
    owner = RegisterFactory.build()
    await verified(service, owner)
    pair = (await log_in(service, owner.email, owner.password)).json()
    await service.database.execute("UPDATE users SET is_disabled = true")
    assert outcome(await log_in(service, owner.email, owner.password)) == (403, "account_disabled")
    assert outcome(await log_in(service, owner.email, "wrong")) == WRONG
    assert await look(service, pair["access_token"]) == (403, "account_disabled")
    assert outcome(await refresh(service, pair["refresh_token"])) == ENDED


async def test_a_refresh_token_is_spent_for_the_next_pair(service: Service) -> None:
    """The new tokens differ from the old ones and work."""
    access, spent = await signed_in(service)
    pair = (await refresh(service, spent)).json()
    assert {access, spent}.isdisjoint({pair["access_token"], pair["refresh_token"]})
    assert await look(service, pair["access_token"]) == (200, None)
    assert (await refresh(service, pair["refresh_token"])).status_code == 200


async def test_two_tabs_that_refresh_at_once_stay_signed_in(service: Service) -> None:
    """Within ten seconds the token spent last yields the very same successor, never a second branch."""
    _, spent = await signed_in(service)
    answers = await asyncio.gather(*(refresh(service, spent) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    await service.pass_time(9)
    late = await refresh(service, spent)
    assert late.status_code == 200
    assert (await refresh(service, late.json()["refresh_token"])).status_code == 200


async def test_a_copy_shown_after_the_grace_ends_the_session(service: Service) -> None:
    """Eleven seconds later the spent token is a theft: its successor and the access tokens die with it."""
    access, spent = await signed_in(service)
    successor = (await refresh(service, spent)).json()
    await service.pass_time(11)
    assert outcome(await refresh(service, spent)) == (401, "refresh_token_reused")
    assert outcome(await refresh(service, successor["refresh_token"])) == ENDED
    assert await look(service, successor["access_token"]) == ENDED
    assert await look(service, access) == ENDED


async def test_an_older_copy_ends_the_session_even_within_the_grace(service: Service) -> None:
    """R0, R1, R2, then R0 again: the session is over."""
    _, r0 = await signed_in(service)
    r1 = (await refresh(service, r0)).json()["refresh_token"]
    pair = (await refresh(service, r1)).json()
    assert outcome(await refresh(service, r0)) == (401, "refresh_token_reused")
    assert outcome(await refresh(service, pair["refresh_token"])) == ENDED
    assert await look(service, pair["access_token"]) == ENDED


async def test_one_session_ended_leaves_the_others_alone(service: Service) -> None:
    """A theft on one device signs nobody out elsewhere."""
    owner = RegisterFactory.build()
    phone = await verified(service, owner)
    pair = (await log_in(service, owner.email, owner.password)).json()
    await refresh(service, pair["refresh_token"])
    await service.pass_time(11)
    assert outcome(await refresh(service, pair["refresh_token"])) == (401, "refresh_token_reused")
    assert outcome(await phone.get("/user/me")) == (200, None)


async def test_a_session_ends_after_thirty_days_whatever_its_tokens_say(service: Service) -> None:
    """Sliding on does not carry a session past its thirtieth day."""
    access, refresh_token = await signed_in(service)
    await service.pass_time(30 * 86_400)
    assert await look(service, access) == ENDED
    assert outcome(await refresh(service, refresh_token)) == ENDED


async def test_logging_out_kills_both_tokens(service: Service) -> None:
    """Afterwards the access token, the same with a `=` behind it, and the refresh token are 401."""
    access, refresh_token = await signed_in(service)
    farewell = await log_out(service, access, refresh_token)
    assert (farewell.status_code, farewell.content) == (204, b"")
    assert await look(service, access) == ENDED
    assert await look(service, f"{access}=") == ENDED
    assert outcome(await refresh(service, refresh_token)) == ENDED


async def test_logging_out_needs_no_body(service: Service) -> None:
    """The session of the access token ends, and with it the refresh token that was not shown."""
    access, refresh_token = await signed_in(service)
    assert (await log_out(service, access)).status_code == 204
    assert outcome(await refresh(service, refresh_token)) == ENDED
    assert outcome(await log_out(service, access)) == ENDED


async def test_a_refresh_token_is_enough_to_log_out(service: Service) -> None:
    """The access token has expired long ago; from a cookie it counts with an Origin only, and cookies are cleared."""
    _, in_body = await signed_in(service)
    answer = await service.browser().post("/auth/logout", json={"refresh_token": in_body})
    assert answer.status_code == 204
    assert outcome(await refresh(service, in_body)) == ENDED
    _, in_cookie = await signed_in(service)
    cookie = {"Cookie": f"refresh_token={in_cookie}"}
    assert outcome(await service.browser().post("/auth/logout", headers=cookie)) == (403, "csrf_rejected")
    origin = {"Origin": "https://app.example.com"}
    answer = await service.browser().post("/auth/logout", headers=cookie | origin)
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert outcome(await refresh(service, in_cookie)) == ENDED


async def test_nobody_logs_another_out(service: Service) -> None:
    """A refresh token of somebody else, or none at all, ends nothing but one's own session."""
    (mine, _), (theirs, their_refresh) = [await signed_in(service) for _ in range(2)]
    assert (await log_out(service, mine, their_refresh)).status_code == 204
    assert await look(service, theirs) == (200, None)
    assert (await refresh(service, their_refresh)).status_code == 200


async def test_a_session_remembers_where_it_began(service: Service) -> None:
    """Address and browser are kept on one line, without control marks and without end."""
    somebody = RegisterFactory.build()
    await register(service, somebody)
    token = token_in(mails_to(service, somebody.email)[-1])
    browser = service.browser(ip="198.51.100.4", User_Agent="Browser\x01" + "x" * 5000)
    await browser.post("/auth/verify", json={"token": token})
    row = await service.database.fetchrow("SELECT ip, user_agent FROM sessions")
    assert row["ip"] == "198.51.100.4"
    assert row["user_agent"].startswith("Browser x")
    assert len(row["user_agent"]) == 400
