"""Seeing where one is signed in, and ending a session from elsewhere."""

import httpx

from tests.factories import RegisterFactory
from tests.integration.http.mailbox import verified
from tests.integration.http.stories import Service
from tests.integration.http.test_signing_in import log_in


async def sign_in_again(service: Service, email: str, password: str, user_agent: str) -> httpx.AsyncClient:
    browser = service.browser(ip="198.51.100.9", User_Agent=user_agent)
    pair = (await browser.post("/auth/login", json={"email": email, "password": password})).json()
    browser.headers["Authorization"] = f"Bearer {pair['access_token']}"
    return browser


async def test_sessions_are_listed_newest_first_with_the_present_one_marked(service: Service) -> None:
    """Those that have ended are not, nor those of others."""
    somebody = RegisterFactory.build()
    await verified(service, RegisterFactory.build())
    first = await verified(service, somebody)
    second = await sign_in_again(service, somebody.email, somebody.password, "Second")
    third = await sign_in_again(service, somebody.email, somebody.password, "Third")
    await second.post("/auth/logout")
    listed = (await third.get("/auth/sessions")).json()["items"]
    assert [item["current"] for item in listed] == [True, False]
    assert set(listed[0]) == {"id", "user_agent", "ip", "created_at", "last_used_at", "current"}
    assert (listed[0]["user_agent"], listed[0]["ip"]) == ("Third", "198.51.100.9")
    page = (await first.get("/auth/sessions", params={"limit": 1})).json()
    rest = (await first.get("/auth/sessions", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert [item["id"] for item in page["items"] + rest["items"]] == [item["id"] for item in listed]
    assert rest["next_cursor"] is None


async def test_a_session_that_is_thirty_days_old_is_listed_no_more(service: Service) -> None:
    somebody = RegisterFactory.build()
    await verified(service, somebody)
    await service.pass_time(30 * 86_400)
    here = await sign_in_again(service, somebody.email, somebody.password, "Here")
    assert [item["user_agent"] for item in (await here.get("/auth/sessions")).json()["items"]] == ["Here"]


async def test_a_session_that_nobody_can_refresh_any_more_is_listed_no_more(service: Service) -> None:
    """Its last refresh token has expired after seven days."""
    somebody = RegisterFactory.build()
    await verified(service, somebody)
    await service.pass_time(8 * 86_400)
    here = await sign_in_again(service, somebody.email, somebody.password, "Here")
    assert len((await here.get("/auth/sessions")).json()["items"]) == 1


async def test_a_session_is_ended_from_elsewhere_at_once(service: Service) -> None:
    somebody = RegisterFactory.build()
    lost = await verified(service, somebody)
    here = await sign_in_again(service, somebody.email, somebody.password, "Here")
    listed = (await here.get("/auth/sessions")).json()["items"]
    theirs = next(item["id"] for item in listed if not item["current"])
    assert (await here.delete(f"/auth/sessions/{theirs}")).status_code == 204
    assert (await lost.get("/user/me")).status_code == 401
    assert (await here.delete(f"/auth/sessions/{theirs}")).status_code == 404
    assert (await here.get("/user/me")).status_code == 200


async def test_the_session_of_another_is_as_good_as_none(service: Service) -> None:
    """Byte for byte, but for the request's id."""
    ada, bob = await verified(service, RegisterFactory.build()), await verified(service, RegisterFactory.build())
    (bobs,) = (await bob.get("/auth/sessions")).json()["items"]
    answers = [await ada.delete(f"/auth/sessions/{number}") for number in (bobs["id"], 10**6, 0, 2**63)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({str({**answer.json(), "request_id": ""}) for answer in answers}) == 1
    assert (await bob.get("/user/me")).status_code == 200


async def test_the_last_session_may_be_ended_too(service: Service) -> None:
    somebody = RegisterFactory.build()
    ada = await verified(service, somebody)
    (here,) = (await ada.get("/auth/sessions")).json()["items"]
    assert (await ada.delete(f"/auth/sessions/{here['id']}")).status_code == 204
    assert (await ada.get("/user/me")).status_code == 401
    assert (await log_in(service, somebody.email, somebody.password)).status_code == 200
