"""What browsers are told and what they are kept from: cookies, origins, preflights, content types."""

from http.cookies import Morsel, SimpleCookie

import httpx
from msgspec import to_builtins

from tests.factories import RegisterFactory
from tests.integration.http.conftest import Start
from tests.integration.http.mailbox import mailed_token, verified
from tests.integration.http.stories import Service

HERE = "https://app.example.com"
FOREIGN = ("https://evil.example", "http://app.example.com", "https://app.example.com.evil.example", "null", "")
REJECTED = (403, "csrf_rejected")


def cookies_set(response: httpx.Response) -> dict[str, "Morsel[str]"]:
    jar: SimpleCookie = SimpleCookie()
    for line in response.headers.get_list("set-cookie"):
        jar.load(line)
    return dict(jar)


def outcome(response: httpx.Response) -> tuple[int, str | None]:
    return response.status_code, response.json().get("code")


async def signed_in_browser(service: Service) -> httpx.AsyncClient:
    """A browser with the cookies of somebody new, and no header that a browser would not send by itself."""
    browser = service.browser()
    token = await mailed_token(service, RegisterFactory.build())
    await browser.post("/auth/verify", json={"token": token})
    return browser


async def test_tokens_are_kept_where_scripts_cannot_read_them(service: Service) -> None:
    """Verifying by POST and logging in set both cookies: HttpOnly, Secure, SameSite, as long as their tokens live."""
    somebody = RegisterFactory.build()
    browser = service.browser()
    by_verifying = await browser.post("/auth/verify", json={"token": await mailed_token(service, somebody)})
    by_login = await browser.post("/auth/login", json={"email": somebody.email, "password": somebody.password})
    for response in (by_verifying, by_login):
        cookies = cookies_set(response)
        assert set(cookies) == {"access_token", "refresh_token"}
        for name, path, age in (("access_token", "/", 600), ("refresh_token", "/api/v1/auth", 7 * 86_400)):
            cookie = cookies[name]
            assert cookie.value == response.json()[name]
            assert (cookie["path"], int(cookie["max-age"]), cookie["domain"]) == (path, age, "")
            assert (bool(cookie["httponly"]), bool(cookie["secure"]), cookie["samesite"]) == (True, True, "lax")


async def test_following_the_link_itself_sets_no_cookie(service: Service) -> None:
    """Whoever follows a link has not asked to be signed in here: the tokens are in the body alone."""
    token = await mailed_token(service, RegisterFactory.build())
    response = await service.browser().get("/auth/verify", params={"token": token})
    assert response.json()["access_token"]
    assert "set-cookie" not in response.headers


async def test_cookies_follow_the_settings(start: Start) -> None:
    """`COOKIE_SAMESITE` is taken over, and `Secure` is off only on plain http at a loopback address."""
    for address, secure in (("http://localhost:8000", False), ("http://127.0.0.1:8000", False)):
        service = await start(PUBLIC_URL=address, COOKIE_SAMESITE="strict")
        cookies = cookies_set(
            await service.browser().post(
                "/auth/verify", json={"token": await mailed_token(service, RegisterFactory.build())}
            )
        )
        assert {(bool(cookie["secure"]), cookie["samesite"]) for cookie in cookies.values()} == {(secure, "strict")}


async def test_cookies_sign_in_and_log_out(service: Service) -> None:
    """A browser needs no header to read; leaving takes its cookies away and ends the session."""
    browser = await signed_in_browser(service)
    kept = dict(browser.cookies)
    assert (await browser.get("/user/me")).status_code == 200
    farewell = await browser.post("/auth/logout", headers={"Origin": HERE})
    assert farewell.status_code == 204
    assert {(cookie.value, cookie["max-age"]) for cookie in cookies_set(farewell).values()} == {("", "0")}
    assert dict(browser.cookies) == {}
    for name, token in kept.items():
        browser.cookies.set(name, token)
    assert (await browser.get("/user/me")).status_code == 401
    assert (await browser.post("/auth/refresh", headers={"Origin": HERE})).status_code == 401


async def test_a_cookie_refreshes_itself(service: Service) -> None:
    """With an allowed origin and no body the refresh cookie is spent for a new pair, in cookies again."""
    browser = await signed_in_browser(service)
    spent = browser.cookies["refresh_token"]
    response = await browser.post("/auth/refresh", headers={"Origin": HERE})
    assert response.status_code == 200
    assert browser.cookies["refresh_token"] == response.json()["refresh_token"] != spent


async def test_a_header_and_a_body_win_over_cookies(service: Service) -> None:
    """What a caller says counts, not what the browser adds."""
    browser = await signed_in_browser(service)
    other = await service.customer(credits=0)
    bearer = {"Authorization": other.api.headers["Authorization"]}
    assert (await browser.get("/user/me", headers=bearer)).json()["id"] == other.id
    assert (await browser.get("/user/me", headers={"Authorization": "Bearer nonsense"})).status_code == 401
    refused = await browser.post("/auth/refresh", json={"refresh_token": "nonsense"}, headers={"Origin": HERE})
    assert refused.status_code == 401


async def test_changes_from_foreign_origins_are_refused_whatever_they_carry(service: Service) -> None:
    """With cookies, with a bearer token and with nothing, login included: 403, and nothing changed."""
    somebody = RegisterFactory.build()
    await verified(service, somebody)
    customer = await service.customer()
    browser = await signed_in_browser(service)
    sessions = await service.count("sessions")
    for origin in FOREIGN:
        headers = {"Origin": origin}
        login = {"email": somebody.email, "password": somebody.password}
        for response in (
            await service.browser().post("/auth/login", json=login, headers=headers),
            await service.browser().post("/auth/register", json=to_builtins(somebody), headers=headers),
            await browser.post("/auth/logout", headers=headers),
            await browser.post("/auth/refresh", headers=headers),
            await customer.api.post("/image/generate", json=await customer.order(), headers=headers),
        ):
            assert outcome(response) == REJECTED, (origin, response.request.url)
            assert "access-control-allow-origin" not in response.headers
    assert await service.count("sessions") == sessions
    assert await service.count("images") == 0
    assert (await browser.get("/user/me")).status_code == 200


async def test_a_change_by_cookie_must_name_its_origin(service: Service) -> None:
    """Without an `Origin` nobody knows which page made the browser send its cookies."""
    browser = await signed_in_browser(service)
    assert outcome(await browser.post("/auth/logout")) == REJECTED
    assert outcome(await browser.post("/auth/refresh")) == REJECTED
    body = {"style_id": 1, "image_input_url": "https://pictures.test/x.jpg"}
    assert outcome(await browser.post("/image/generate", json=body)) == REJECTED
    assert (await browser.get("/user/me")).status_code == 200


async def test_programs_need_no_origin(service: Service) -> None:
    """A bearer token is no cookie: an app that names no origin may change things."""
    customer = await service.customer()
    await customer.generate()


async def test_pages_of_allowed_origins_may_read_answers(start: Start) -> None:
    """The frontend's, the listed and the API's own origin are reflected exactly, with credentials."""
    service = await start(CORS_ORIGINS="https://admin.example.com, http://localhost:3000")
    for origin in (HERE, "https://admin.example.com", "http://localhost:3000", "https://api.example.com"):
        response = await service.browser().get("/image/styles", headers={"Origin": origin})
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert "X-Request-ID" in response.headers["Access-Control-Expose-Headers"]


async def test_pages_of_foreign_origins_may_read_nothing(service: Service) -> None:
    """A read is answered as ever, without the headers that would let the page see it; refusals are alike."""
    for origin in FOREIGN:
        for path in ("/image/styles", "/user/me", "/nowhere"):
            response = await service.browser().get(path, headers={"Origin": origin})
            assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_answers_depend_on_the_origin_for_every_cache(service: Service) -> None:
    """`Vary: Origin` is on successes, refusals, preflights and not-modified answers."""
    browser = service.browser()
    styles = await browser.get("/image/styles")
    for response in (
        styles,
        await browser.get("/image/styles", headers={"If-None-Match": styles.headers["ETag"]}),
        await browser.get("/user/me"),
        await browser.get("/nowhere"),
        await browser.post("/auth/login", json={}),
        await browser.post("/auth/login", content="x"),
        await browser.post("/auth/login", headers={"Origin": "https://evil.example"}),
        await browser.options("/auth/login", headers={"Origin": HERE}),
        await browser.get(service.root("/health/live")),
    ):
        assert "origin" in response.headers["Vary"].lower(), response.request.url


async def test_a_preflight_is_answered_for_allowed_origins_only(service: Service) -> None:
    """204 with methods, headers, credentials and ten minutes of memory; for others none of these."""
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    browser = service.browser()
    allowed = await browser.options("/image/generate", headers={"Origin": HERE, **wanted})
    assert (allowed.status_code, allowed.content) == (204, b"")
    assert allowed.headers["Access-Control-Allow-Origin"] == HERE
    assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
    assert allowed.headers["Access-Control-Max-Age"] == "600"
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(allowed.headers["Access-Control-Allow-Methods"].split(", "))
    named = {name.lower() for name in allowed.headers["Access-Control-Allow-Headers"].split(", ")}
    assert {"authorization", "content-type", "idempotency-key", "x-request-id", "last-event-id"} <= named
    refused = await browser.options("/image/generate", headers={"Origin": "https://evil.example", **wanted})
    assert refused.status_code == 204
    assert not [name for name in refused.headers if name.startswith("access-control-")]


async def test_bodies_of_other_types_are_not_read(service: Service) -> None:
    """What a form on any page could send is 415, on every route, and changes nothing."""
    customer = await service.customer()
    body = b'{"email": "a@example.com", "password": "a-good-Passw0rd", "name": "A"}'
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/msgpack",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "",
    ):
        headers = {"Content-Type": content_type}
        for path in ("/auth/register", "/auth/login", "/image/generate", "/image/webhook"):
            response = await customer.api.post(path, content=body, headers=headers)
            assert outcome(response) == (415, "unsupported_media_type"), (content_type, path)
    for coding in ("gzip", "br", "identity, gzip", "x"):
        headers = {"Content-Type": "application/json", "Content-Encoding": coding}
        response = await customer.api.post("/auth/register", content=body, headers=headers)
        assert outcome(response) == (415, "unsupported_media_type"), coding
    assert await service.count("registrations") == 0


async def test_a_charset_beside_json_is_fine(service: Service) -> None:
    """`application/json; charset=utf-8`, in any case, is JSON."""
    for content_type in ("application/json; charset=utf-8", "Application/JSON"):
        response = await service.browser().post(
            "/auth/login",
            content=b'{"email": "a@example.com", "password": "x"}',
            headers={"Content-Type": content_type},
        )
        assert outcome(response) == (401, "invalid_credentials")
