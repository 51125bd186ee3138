"""Tokens of every wrong kind: all of them are 401."""

import re
from typing import Any

from msgspec import to_builtins

from presentation.http.reference.examples import EXAMPLES
from tests.factories import RegisterFactory
from tests.forged_tokens import Mint, wrong_kinds
from tests.integration.http.conftest import Start
from tests.integration.http.mailbox import mailed_token
from tests.integration.http.stories import Service


async def pair_of(service: Service) -> tuple[str, str]:
    token = await mailed_token(service, RegisterFactory.build())
    pair = (await service.browser().post("/auth/verify", json={"token": token})).json()
    return pair["access_token"], pair["refresh_token"]


async def test_no_wrong_access_token_opens_anything(service: Service) -> None:
    """Each is 401 with a problem that names the scheme; the genuine one between them still works."""
    access, refresh = await pair_of(service)
    mint = Mint(service.settings.secret_key, access)
    tokens = wrong_kinds(mint, access, subject="sub")
    tokens["a refresh token"] = refresh
    tokens["a refresh token renamed"] = Mint(service.settings.secret_key, refresh)(header={"typ": "at+jwt"})
    tokens["another user's session"] = mint({"sub": "999"})
    tokens["a subject that is no number"] = mint({"sub": "1 or 1=1"})
    for kind, token in tokens.items():
        response = await service.browser(Authorization=f"Bearer {token}").get("/user/me")
        assert response.status_code == 401, kind
        assert response.headers["WWW-Authenticate"] == "Bearer", kind
        code = "token_expired" if kind == "expired" else "not_authenticated"
        assert response.json()["code"] == code, kind
    assert (await service.browser(Authorization=f"Bearer {mint()}").get("/user/me")).status_code == 200


async def test_no_wrong_refresh_token_yields_another(service: Service) -> None:
    """Each is 401, or refused for its length; the genuine one afterwards still works."""
    access, refresh = await pair_of(service)
    mint = Mint(service.settings.secret_key, refresh)
    tokens = wrong_kinds(mint, refresh, subject="ctr")
    tokens["an access token"] = access
    tokens["an access token renamed"] = Mint(service.settings.secret_key, access)(header={"typ": "rt+jwt"})
    tokens["a counter below all"] = mint({"ctr": -1})
    for kind, token in tokens.items():
        response = await service.browser().post("/auth/refresh", json={"refresh_token": token})
        assert response.status_code == (413 if kind == "a hundred kilobytes" else 401), kind
    tokens["nothing"] = ""
    cookie = await service.browser(Cookie=f"refresh_token={'x' * 100_000}", Origin="https://app.example.com").post(
        "/auth/refresh"
    )
    assert cookie.status_code == 401
    assert (await service.browser().post("/auth/refresh", json={"refresh_token": refresh})).status_code == 200


async def test_a_token_that_was_never_given_out_ends_the_session(service: Service) -> None:
    """A counter from the future is a forgery by whoever holds the key: nothing of the session works any more."""
    access, refresh = await pair_of(service)
    forged = Mint(service.settings.secret_key, refresh)({"ctr": 7})
    response = await service.browser().post("/auth/refresh", json={"refresh_token": forged})
    assert response.status_code == 401
    assert (await service.browser(Authorization=f"Bearer {access}").get("/user/me")).status_code == 401


async def test_other_schemes_are_401(service: Service) -> None:
    """Whatever stands in `Authorization`, without a valid bearer token nobody gets in."""
    for header in ("Basic dXNlcjpwYXNz", "Bearer", "bearer ", "Token x", "", "Bearer a b"):
        response = await service.browser(Authorization=header).get("/user/me")
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated"), header


def example_of(schema: Any) -> Any:
    """A body of a schema that the document names, or of the first of several that is one."""
    references = [schema, *schema.get("oneOf", []), *schema.get("anyOf", [])]
    name = next(reference["$ref"] for reference in references if "$ref" in reference).rpartition("/")[2]
    return to_builtins(EXAMPLES[name])


async def test_every_route_of_customers_asks_who_is_there(service: Service) -> None:
    """Without a token they are 401, whether or not what they are asked for exists. The document says which they are."""
    browser = service.browser()
    paths = (await browser.get(service.root("/schema/openapi.json"))).json()["paths"]
    guarded = [
        (method, path, operation.get("requestBody", {}).get("content", {}))
        for path, operations in paths.items()
        for method, operation in operations.items()
        if operation.get("security")
    ]
    assert len(guarded) > 15
    for method, path, content in guarded:
        files = {"file": b"x"} if "multipart/form-data" in content else None
        body = example_of(content["application/json"]["schema"]) if "application/json" in content else None
        address = service.root(re.sub(r"\{\w+\}", "1", path))
        response = await browser.request(method, address, json=body, files=files)
        assert response.status_code == 401, (method, path, response.text)
    assert (await browser.post("/auth/refresh")).status_code == 401


async def test_keys_can_be_rotated_with_nobody_logged_out(start: Start) -> None:
    """Tokens signed with the previous key are accepted, and new ones are signed with the present key."""
    before = await start()
    access, refresh = await pair_of(before)
    after = await start(SECRET_KEY_PREVIOUS=before.settings.secret_key)
    assert (await after.browser(Authorization=f"Bearer {access}").get("/user/me")).status_code == 200
    pair = (await after.browser().post("/auth/refresh", json={"refresh_token": refresh})).json()
    assert (await before.browser(Authorization=f"Bearer {pair['access_token']}").get("/user/me")).status_code == 401


async def test_no_token_is_ever_logged(service: Service) -> None:
    """Neither the tokens nor the password of a sign-in show in any line of the log."""
    somebody = RegisterFactory.build()
    token = await mailed_token(service, somebody)
    pair = (await service.browser().get("/auth/verify", params={"token": token})).json()
    await service.browser(Authorization=f"Bearer {pair['access_token']}x").get("/user/me")
    written = repr(service.log)
    for secret in (token, pair["access_token"], pair["refresh_token"], somebody.password, somebody.email):
        assert secret not in written
