"""Google as an OpenID provider: https://developers.google.com/identity/openid-connect/openid-connect."""

import base64
import secrets
from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest
from PIL import Image

from tests.unit.sandbox.talking import running, script

ISSUER = "http://sandbox.test/google"
BACK = "https://api.example.com/callback"
VERIFIER = secrets.token_urlsafe(32)
ADA = "100000000000000000001"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with running(google_client_id="us", google_client_secret="quiet", google_redirect_uri=BACK) as client:
        yield client


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def authorize(**changes: Any) -> str:
    """The address that a browser is sent to; None leaves something out."""
    query = {
        "client_id": "us",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid email profile",
        "state": "the state",
        "nonce": "the nonce",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    return f"/google/o/oauth2/v2/auth?{urlencode({name: value for name, value in query.items() if value is not None})}"


async def consent(client: httpx.AsyncClient, /, url: str = "", **form: str) -> dict[str, str]:
    """Pick somebody; what the browser brings back."""
    answer = await client.post(url or authorize(), data=form or {"person": ADA})
    assert answer.status_code == 303, answer.text
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    return {name: value for name, (value,) in parse_qs(back.query).items()}


async def exchange(client: httpx.AsyncClient, code: str, **changes: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "us",
        "client_secret": "quiet",
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        **changes,
    }
    return await client.post("/google/token", data=form)


async def tokens(client: httpx.AsyncClient, **form: str) -> dict[str, Any]:
    answer = await exchange(client, (await consent(client, **form))["code"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def claims_of(client: httpx.AsyncClient, id_token: str) -> dict[str, Any]:
    keys = (await client.get("/google/oauth2/v3/certs")).json()["keys"]
    kid = jwt.get_unverified_header(id_token)["kid"]
    key = next(jwt.PyJWK(key) for key in keys if key["kid"] == kid)
    return dict(jwt.decode(id_token, key, algorithms=["RS256"], audience="us", issuer=ISSUER))


async def test_discovery_names_every_endpoint(client: httpx.AsyncClient) -> None:
    document = (await client.get("/google/.well-known/openid-configuration")).json()
    assert document["issuer"] == ISSUER
    endpoints = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    assert all(document[name].startswith(f"{ISSUER}/") for name in endpoints)
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]


async def test_the_consent_page_says_that_it_is_not_googles(client: httpx.AsyncClient) -> None:
    """It shows people with their pictures, and runs nothing."""
    page = await client.get(authorize())
    assert page.status_code == 200
    assert "SANDBOX, not Google" in page.text
    assert page.text.count('class="person"') == 4
    assert "not verified" in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_who_is_picked_comes_back_as_google_sends_them(client: httpx.AsyncClient) -> None:
    """With the issuer, the state as it was, and a code in which there is a slash."""
    back = await consent(client)
    assert (back["state"], back["iss"]) == ("the state", ISSUER)
    assert back["code"].startswith("4/0")
    assert {"openid", "email", "profile"} < set(back["scope"].split())


async def test_a_code_is_exchanged_for_who_came(client: httpx.AsyncClient) -> None:
    answer = await tokens(client)
    claims = await claims_of(client, answer["id_token"])
    assert (claims["sub"], claims["email"], claims["email_verified"]) == (ADA, "ada.sandbox@example.com", True)
    assert (claims["nonce"], claims["azp"], claims["given_name"]) == ("the nonce", "us", "Ada")
    picture = await client.get(claims["picture"])
    assert Image.open(BytesIO(picture.content)).format == "JPEG"
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    info = (await client.get("/google/v1/userinfo", headers=bearer)).json()
    assert info == {name: claims[name] for name in info}
    assert (await client.get("/google/v1/userinfo")).status_code == 401


async def test_somebody_can_be_made_up(client: httpx.AsyncClient) -> None:
    """Only what is posted is told; an account without a number gets one."""
    answer = await tokens(client, email="eve@example.com", name="Eve", sub="42")
    claims = await claims_of(client, answer["id_token"])
    assert (claims["sub"], claims["email_verified"], claims["name"], claims.get("picture")) == (
        "42",
        False,
        "Eve",
        None,
    )
    nameless = await claims_of(client, (await tokens(client, email="eve@example.com"))["id_token"])
    assert len(nameless["sub"]) == 21


async def test_scopes_decide_what_is_told(client: httpx.AsyncClient) -> None:
    back = await consent(client, authorize(scope="openid"))
    claims = await claims_of(client, (await exchange(client, back["code"])).json()["id_token"])
    assert {"email", "name", "picture"}.isdisjoint(claims)


async def test_a_denial_comes_back_without_a_code(client: httpx.AsyncClient) -> None:
    assert await consent(client, deny="true") == {"error": "access_denied", "state": "the state"}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "them"},
        {"client_id": None},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": f"{BACK}/more"},
        {"redirect_uri": "javascript:alert(1)"},
        {"response_type": "token"},
        {"scope": "email"},
        {"code_challenge_method": "S512"},
    ],
)
async def test_a_wrong_request_leads_nowhere(client: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    """Neither asked nor answered: an error page, and no redirect."""
    url = authorize(**changes)
    for answer in (await client.get(url), await client.post(url, data={"person": ADA})):
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_nobody_is_picked(client: httpx.AsyncClient) -> None:
    assert (await client.post(authorize(), data={"person": "1"})).status_code == 400


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "loud"}, 401, "invalid_client"),
        ({"client_id": "them"}, 401, "invalid_client"),
        ({"code": "4/0garbage"}, 400, "invalid_grant"),
        ({"redirect_uri": f"{BACK}?"}, 400, "redirect_uri_mismatch"),
        ({"code_verifier": "another"}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_exchange_is_refused(
    client: httpx.AsyncClient, changes: dict[str, str], status: int, error: str
) -> None:
    code = (await consent(client))["code"]
    answer = await exchange(client, **({"code": code} | changes))
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_a_code_works_once(client: httpx.AsyncClient) -> None:
    code = (await consent(client))["code"]
    assert [(await exchange(client, code)).status_code for _ in range(2)] == [200, 400]


async def test_a_client_may_name_itself_in_a_header(client: httpx.AsyncClient) -> None:
    code = (await consent(client))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    assert (await client.post("/google/token", data=form, auth=("us", "loud"))).status_code == 401
    assert (await client.post("/google/token", data=form, auth=("us", "quiet"))).status_code == 200


async def test_anybody_is_let_in_where_no_client_is_configured() -> None:
    async with running() as client:
        code = (await consent(client, authorize(client_id="them")))["code"]
        assert (await exchange(client, code, client_id="them", client_secret="")).status_code == 200


async def test_after_a_rotation_another_key_signs_and_the_old_one_is_still_shown(client: httpx.AsyncClient) -> None:
    before = (await tokens(client))["id_token"]
    kids = (await client.post("/google/__control/keys")).json()["kids"]
    after = (await tokens(client))["id_token"]
    assert [jwt.get_unverified_header(token)["kid"] for token in (after, before)] == kids
    assert await claims_of(client, before)
    assert await claims_of(client, after)


async def test_claims_can_be_made_wrong_or_left_out(client: httpx.AsyncClient) -> None:
    fault = {"claims": {"nonce": "another", "email": None, "exp": 1}}
    await script(client, {"on": "token", "id_token": fault}, service="google")
    claims = jwt.decode((await tokens(client))["id_token"], options={"verify_signature": False})
    assert (claims["nonce"], claims["exp"], "email" in claims) == ("another", 1, False)


@pytest.mark.parametrize(
    ("signature", "algorithm", "is_known"),
    [("none", "none", True), ("HS256", "HS256", True), ("unknown_key", "RS256", False), ("forged", "RS256", True)],
)
async def test_signatures_can_be_made_wrong(
    client: httpx.AsyncClient, signature: str, algorithm: str, is_known: bool
) -> None:
    await script(client, {"on": "token", "id_token": {"signature": signature}}, service="google")
    token = (await tokens(client))["id_token"]
    header = jwt.get_unverified_header(token)
    kids = {key["kid"] for key in (await client.get("/google/oauth2/v3/certs")).json()["keys"]}
    assert (header["alg"], header["kid"] in kids) == (algorithm, is_known)


async def test_endpoints_can_be_away(client: httpx.AsyncClient) -> None:
    await script(
        client, {"on": "jwks", "reply": {"status": 503}}, {"on": "token", "reply": {"status": 400}}, service="google"
    )
    assert (await client.get("/google/oauth2/v3/certs")).status_code == 503
    assert (await exchange(client, (await consent(client))["code"])).json()["error"] == "invalid_grant"
    counts = (await client.get("/google/__control")).json()["counts"]
    assert counts == {"jwks": 1, "authorize": 1, "token": 1}
