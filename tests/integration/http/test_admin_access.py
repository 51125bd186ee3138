"""Who gets to the admin API: whoever is an admin at this very moment, and nobody else."""

import re
from typing import Any

import httpx
import pytest
from msgspec import to_builtins

from domain.users import Role
from presentation.http.reference.examples import EXAMPLES
from tests.factories import photo
from tests.integration.http.stories import Customer, Service

WHY = {"reason": "for a test"}


async def routes(service: Service) -> list[tuple[str, str, dict[str, Any]]]:
    """Every route of the admin API, with what it takes: method, path, and the arguments of a request."""
    paths = (await service.browser().get(service.root("/schema/openapi.json"))).json()["paths"]
    found = []
    for path, methods in paths.items():
        for method, operation in methods.items():
            if path.startswith("/api/v1/admin/"):
                found.append((method.upper(), service.root(re.sub(r"{\w+}", "1", path)), _body(operation)))
    return found


def _body(operation: Any) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return {"files": {"file": ("me.jpg", photo())}}
    if "application/json" in content:
        return {"json": to_builtins(EXAMPLES[content["application/json"]["schema"]["$ref"].rpartition("/")[2]])}
    return {}


async def refusals(service: Service, api: httpx.AsyncClient, **instead: Any) -> set[tuple[int, str]]:
    """How every route answers, called as it should be, or with something else in its place."""
    answers = [await api.request(method, url, **(instead or body)) for method, url, body in await routes(service)]
    return {(answer.status_code, answer.json()["code"]) for answer in answers}


async def admin(service: Service) -> Customer:
    return await service.customer(role=Role.ADMIN, credits=0)


async def nothing_happened(service: Service) -> bool:
    return await service.count("audit_entries") == 0


async def test_there_is_a_route_for_each_of_the_operators_commands(service: Service) -> None:
    assert len(await routes(service)) >= 27


async def test_a_customer_is_refused_everywhere(service: Service) -> None:
    """Whatever is sent, and before anybody looks at it; about oneself, too."""
    ada = await service.customer()
    assert ada.id == 1
    assert await refusals(service, ada.api) == {(403, "forbidden")}
    assert await refusals(service, ada.api, content=b"{", headers={"Content-Type": "application/json"}) == {
        (403, "forbidden")
    }
    assert await nothing_happened(service)


async def test_nobody_is_asked_to_log_in_everywhere(service: Service) -> None:
    await service.customer()
    assert await refusals(service, service.browser()) == {(401, "not_authenticated")}
    stolen = service.browser(Authorization="Bearer not.a.token")
    assert await refusals(service, stolen) == {(401, "not_authenticated")}
    assert await nothing_happened(service)


async def test_an_admin_is_refused_nowhere(service: Service) -> None:
    """What is not there, or cannot be done now, is told as to any customer."""
    grace = await admin(service)
    for method, url, body in await routes(service):
        if url.endswith(("/users/1", "/users/1/role", "/users/1/disable")) and method != "GET":
            continue  # the admin would be none afterwards
        answer = await grace.api.request(method, url, **body)
        assert answer.status_code in {200, 201, 204, 404, 409}, (method, url, answer.text)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("UPDATE users SET role = 'customer' WHERE id = $1", (403, "forbidden")),
        ("UPDATE users SET is_disabled = true WHERE id = $1", (403, "account_disabled")),
        ("UPDATE sessions SET revoked_at = now() WHERE user_id = $1", (401, "not_authenticated")),
        ("DELETE FROM sessions WHERE user_id = $1", (401, "not_authenticated")),
    ],
    ids=["demoted", "disabled", "logged-out", "erased"],
)
async def test_who_is_no_admin_any_more_is_none_at_once(
    service: Service, change: str, refusal: tuple[int, str]
) -> None:
    """With the very token that opened everything a moment ago."""
    grace = await admin(service)
    assert (await grace.api.get("/admin/users")).status_code == 200
    await service.database.execute(change, grace.id)
    assert await refusals(service, grace.api) == {refusal}


async def test_an_admin_makes_and_unmakes_another(service: Service) -> None:
    """It counts for tokens that were there before."""
    grace, linus = await admin(service), await service.customer()
    for role, status in (("admin", 200), ("customer", 403)):
        changed = await grace.api.put(f"/admin/users/{linus.id}/role", json=WHY | {"role": role})
        assert changed.json()["role"] == role
        assert (await linus.api.get("/admin/users")).status_code == status
    again = await grace.api.put(f"/admin/users/{linus.id}/role", json=WHY | {"role": "customer"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_a_page_of_another_site_can_do_nothing_with_an_admins_cookie(service: Service) -> None:
    grace, ada = await admin(service), await service.customer()
    token = grace.api.headers["Authorization"].removeprefix("Bearer ")
    browser = service.browser(Cookie=f"access_token={token}")
    for headers in ({}, {"Origin": "https://evil.example"}):
        answer = await browser.post(f"/admin/users/{ada.id}/disable", json=WHY, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_rejected")
    assert (await ada.api.get("/user/me")).status_code == 200
    allowed = await browser.post(
        f"/admin/users/{ada.id}/disable", json=WHY, headers={"Origin": "https://app.example.com"}
    )
    assert allowed.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/admin/users?limit=0", None),
        ("GET", "/admin/users?cursor=?", None),
        ("GET", "/admin/users?role=king", None),
        ("GET", "/admin/users/nobody", None),
        ("GET", "/admin/images?status=LOST", None),
        ("GET", "/admin/images?user_id=0", None),
        ("GET", "/admin/analytics?since=yesterday", None),
        ("GET", "/admin/analytics?since=2026-02-01&until=2026-01-01", None),
        ("GET", "/admin/analytics?since=2020-01-01&until=2026-01-01", None),
        ("POST", "/admin/users/1/disable", {}),
        ("POST", "/admin/users/1/disable", {"reason": ""}),
        ("POST", "/admin/users/1/disable", {"reason": "\x00 \n"}),
        ("POST", "/admin/users/1/disable", {"reason": "x" * 501}),
        ("POST", "/admin/users/1/disable", {"reason": "x", "force": True}),
        ("POST", "/admin/users/1/credits/grant", {"reason": "x", "amount": 0}),
        ("POST", "/admin/users/1/credits/grant", {"reason": "x", "amount": "5"}),
        ("POST", "/admin/users/1/credits/grant", {"reason": "x", "amount": 10**30}),
        ("POST", "/admin/users", {"email": "ada", "name": "Ada", "password": "a long pass phrase"}),
        ("POST", "/admin/users/verify", {"email": "\x00", "reason": "x"}),
        ("PATCH", "/admin/styles/1", {"position": -1}),
        ("PATCH", "/admin/styles/1", {}),
        ("POST", "/admin/images/1/fail", {"reason": "x", "view": "top"}),
    ],
)
async def test_what_is_not_valid_is_told(service: Service, method: str, path: str, body: Any) -> None:
    """And nothing is done."""
    grace = await admin(service)
    answer = await grace.api.request(method, path, json=body)
    assert answer.status_code in {400, 404}, answer.text
    assert answer.json()["code"] in {"validation_failed", "not_found"}
    assert await nothing_happened(service)


@pytest.mark.parametrize("number", [0, 999, 2**63 - 1, 2**63, 10**30])
async def test_what_is_not_there_is_told(service: Service, number: int) -> None:
    grace = await admin(service)
    for path, code in (
        (f"/admin/users/{number}", "user_not_found"),
        (f"/admin/users/{number}/credits/history", "user_not_found"),
        (f"/admin/styles/{number}", "style_not_found"),
        (f"/admin/images/{number}", "image_not_found"),
    ):
        answer = await grace.api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_strange_words_find_nothing_and_break_nothing(service: Service) -> None:
    grace = await admin(service)
    for words in ("\x00", "%", "\ud7ff\u202e", "a" * 200):
        for path, name in (("/admin/users", "search"), ("/admin/audit", "operator"), ("/admin/audit", "subject")):
            assert (await grace.api.get(path, params={name: words})).status_code == 200
