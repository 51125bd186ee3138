"""The headers that are on every answer."""

import re

import httpx
import pytest

from tests.factories import RegisterFactory
from tests.integration.http.conftest import Start
from tests.integration.http.mailbox import mailed_token
from tests.integration.http.stories import Service

SECURITY = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-site",
}
HTTPS_ONLY = "max-age=63072000; includeSubDomains"


async def kinds_of_answers(service: Service) -> list[httpx.Response]:
    """A success, one without content, refusals by a handler, by the framework and before it, and a preflight."""
    customer = await service.customer()
    return [
        await customer.api.get("/user/me"),
        await customer.api.get("/image/styles"),
        await customer.api.get("/image/status/1"),
        await customer.api.get("/nowhere"),
        await customer.api.delete("/user/credits"),
        await customer.api.post("/auth/login", json={}),
        await customer.api.post("/auth/login", content="{", headers={"Content-Type": "text/plain"}),
        await customer.api.post("/auth/login", json={}, headers={"Origin": "https://evil.example"}),
        await customer.api.options("/auth/login", headers={"Origin": "https://app.example.com"}),
        await customer.api.get(service.root("/health/live")),
        await customer.api.get(service.root("/schema/openapi.json")),
        await customer.api.post("/auth/logout"),
    ]


async def test_security_headers_are_exact_on_every_kind_of_answer(service: Service) -> None:
    """Each is there once, with the value that was decided on, and nothing names the server."""
    for response in await kinds_of_answers(service):
        for name, value in SECURITY.items():
            assert response.headers.get_list(name) == [value], (response.request.url, name)
        assert response.headers.get_list("strict-transport-security") == [HTTPS_ONLY]
        assert "server" not in response.headers
        assert "x-powered-by" not in response.headers


async def test_plain_http_is_not_told_to_become_https(start: Start) -> None:
    """On a developer's machine there is no `Strict-Transport-Security`."""
    service = await start(PUBLIC_URL="http://localhost:8000")
    response = await service.browser().get("/image/styles")
    assert "strict-transport-security" not in response.headers


async def test_every_answer_has_an_id_and_keeps_a_valid_one(service: Service) -> None:
    """Without one, or with one that is too short, too long or unsafe, a new id is made; a caller's own is kept."""
    for response in await kinds_of_answers(service):
        assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"]), response.request.url
    browser = service.browser()
    own = "trace:2026-11.A_9"
    assert (await browser.get("/nowhere", headers={"X-Request-ID": own})).headers["X-Request-ID"] == own
    for wrong in ("short", "x" * 129, "with space in it", "tab\tin-it-too", "semi;colon;;", "é" * 8):
        headers = [(b"x-request-id", wrong.encode())]
        answer = await browser.get("/nowhere", headers=headers)
        assert answer.headers["X-Request-ID"] != wrong, wrong
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("kind", ["header", "cookie"])
async def test_no_cache_keeps_what_only_a_customer_may_see(service: Service, kind: str) -> None:
    """Answers to a signed-in request are `no-store`, refusals included, except for what is public by itself."""
    customer = await service.customer()
    token = customer.api.headers["Authorization"].removeprefix("Bearer ")
    browser = service.browser(**{"Authorization": f"Bearer {token}"} if kind == "header" else {})
    if kind == "cookie":
        browser.cookies.set("access_token", token)
    for path in ("/user/me", "/user/credits", "/user/images", "/image/status/1", "/nowhere"):
        assert (await browser.get(path)).headers["Cache-Control"] == "no-store", path
    assert (await browser.get("/image/styles")).headers["Cache-Control"].startswith("public")


async def test_no_cache_keeps_tokens(service: Service) -> None:
    """Answers that bring tokens are `no-store` although nobody was signed in before."""
    somebody = RegisterFactory.build()
    other = RegisterFactory.build()
    browser = service.browser()
    by_link = await browser.get("/auth/verify", params={"token": await mailed_token(service, other)})
    by_verifying = await browser.post("/auth/verify", json={"token": await mailed_token(service, somebody)})
    browser.cookies.clear()
    by_login = await browser.post("/auth/login", json={"email": somebody.email, "password": somebody.password})
    browser.cookies.clear()
    spent = {"refresh_token": by_login.json()["refresh_token"]}
    for response in (by_link, by_verifying, by_login, await browser.post("/auth/refresh", json=spent)):
        assert response.json()["access_token"]
        assert response.headers["Cache-Control"] == "no-store", response.request.url
