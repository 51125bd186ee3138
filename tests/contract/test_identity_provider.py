"""What an `IdentityProvider` promises, asked of the fake and of the sandbox's OpenID provider through the adapter."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import msgspec
import pytest
from msgspec import Struct

from application.auth.ports import IdentityProvider, ProviderIdentity
from domain.errors import Failure, Invalid, Unavailable
from infrastructure.google import GOOGLE, GoogleIdentityProvider
from infrastructure.small_documents import Answer, SmallDocuments
from sandbox.google.keys import SigningKey
from tests.contract.conftest import RunningSandbox
from tests.fakes import FakeIdentityProvider
from tests.misbehaving import MisbehavingServer, answer, drip, reset, silence

BACK = "https://api.tryon.example/api/v1/auth/google/callback"
CLIENT = "the-client"
ADA = {"sub": "42", "email": "ada@tryon.example", "email_verified": True, "name": "Ada", "picture": "https://p.test/a"}


class Secrets(Struct, frozen=True):
    """What a sign-in is begun with."""

    state: str
    nonce: str
    verifier: str


class Elsewhere(Protocol):
    """The provider's side: where somebody says yes."""

    provider: IdentityProvider
    issuer: str

    async def consent(self, url: str, **person: Any) -> tuple[str, str]:
        """Be this person; the state and the code that come back."""


class FakeElsewhere(Elsewhere):
    def __init__(self) -> None:
        self.provider: FakeIdentityProvider = FakeIdentityProvider()
        self.issuer = self.provider.issuer

    async def consent(self, url: str, **person: Any) -> tuple[str, str]:
        about = {"subject": person.pop("sub"), "picture_url": person.pop("picture", None), **person}
        return self.provider.consent(url, ProviderIdentity(issuer=self.issuer, **about))


class SandboxElsewhere(Elsewhere):
    def __init__(self, sandbox: RunningSandbox, **changed: Any) -> None:
        self.sandbox = sandbox
        self.issuer = f"{sandbox.url}/google"
        sandbox.script("google")
        usual: dict[str, Any] = {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "client_secret": "any",
            "redirect_uri": BACK,
        }
        self.provider: GoogleIdentityProvider = GoogleIdentityProvider(
            **({"documents": SmallDocuments()} | usual | changed)
        )

    async def consent(self, url: str, **person: Any) -> tuple[str, str]:
        form = {name: str(value).lower() if value in {True, False} else value for name, value in person.items()}
        async with httpx.AsyncClient(trust_env=False) as browser:
            back = await browser.post(url, data=form)
        assert back.status_code == 303, back.text
        brought = dict(parse_qsl(urlsplit(back.headers["location"]).query))
        return brought["state"], brought["code"]

    def script(self, *rules: dict[str, Any]) -> None:
        self.sandbox.script("google", *rules)

    def calls(self, operation: str) -> int:
        with httpx.Client(trust_env=False) as client:
            return int(client.get(f"{self.issuer}/__control").json()["counts"].get(operation, 0))

    def rotate(self) -> None:
        with httpx.Client(trust_env=False) as client:
            client.post(f"{self.issuer}/__control/keys").raise_for_status()


@pytest.fixture
async def played(sandbox: RunningSandbox) -> AsyncIterator[SandboxElsewhere]:
    elsewhere = SandboxElsewhere(sandbox)
    yield elsewhere
    await elsewhere.provider.aclose()


@pytest.fixture(params=["fake", "sandbox"])
def elsewhere(request: pytest.FixtureRequest) -> Elsewhere:
    if request.param == "fake":
        return FakeElsewhere()
    played: Elsewhere = request.getfixturevalue("played")
    return played


def new_secrets() -> Secrets:
    return Secrets(*(secrets.token_urlsafe(32) for _ in range(3)))


async def url_of(elsewhere: Elsewhere, kept: Secrets) -> str:
    return await elsewhere.provider.authorization_url(state=kept.state, nonce=kept.nonce, verifier=kept.verifier)


async def sign_in(elsewhere: Elsewhere, **person: Any) -> ProviderIdentity:
    kept = new_secrets()
    _, code = await elsewhere.consent(await url_of(elsewhere, kept), **(person or ADA))
    return await elsewhere.provider.identify(
        code=code, nonce=kept.nonce, verifier=kept.verifier, issuer=elsewhere.issuer
    )


async def refusal_of(elsewhere: Elsewhere, **changed: Any) -> Failure:
    kept = new_secrets()
    _, code = await elsewhere.consent(await url_of(elsewhere, kept), **ADA)
    brought = {"code": code, "nonce": kept.nonce, "verifier": kept.verifier, "issuer": elsewhere.issuer}
    with pytest.raises(Failure) as refusal:
        await elsewhere.provider.identify(**(brought | changed))
    return refusal.value


def verdict(failure: Failure) -> tuple[type[Failure], str]:
    return type(failure), failure.code


UNTRUSTED = (Invalid, "token_invalid")
AWAY = (Unavailable, "provider_unavailable")


# What both promise


async def test_who_consented_is_identified(elsewhere: Elsewhere) -> None:
    """The state comes back as it was, and everything that the provider vouches for with it."""
    kept = new_secrets()
    state, code = await elsewhere.consent(await url_of(elsewhere, kept), **ADA)
    assert state == kept.state
    identity = await elsewhere.provider.identify(code=code, nonce=kept.nonce, verifier=kept.verifier, issuer=None)
    assert identity == ProviderIdentity(
        issuer=elsewhere.issuer,
        subject="42",
        email="ada@tryon.example",
        email_verified=True,
        name="Ada",
        picture_url="https://p.test/a",
    )


async def test_an_unverified_address_is_told_to_be_so(elsewhere: Elsewhere) -> None:
    identity = await sign_in(elsewhere, sub="43", email="eve@tryon.example", email_verified=False, name="")
    assert (identity.email_verified, identity.name, identity.picture_url) == (False, "", None)


async def test_a_code_works_once(elsewhere: Elsewhere) -> None:
    kept = new_secrets()
    _, code = await elsewhere.consent(await url_of(elsewhere, kept), **ADA)
    brought: dict[str, Any] = {"code": code, "nonce": kept.nonce, "verifier": kept.verifier, "issuer": None}
    await elsewhere.provider.identify(**brought)
    with pytest.raises(Invalid):
        await elsewhere.provider.identify(**brought)


@pytest.mark.parametrize("changed", [{"nonce": "x"}, {"verifier": "x"}, {"code": "4/x"}, {"issuer": "https://x.test"}])
async def test_a_return_that_does_not_fit_is_not_trusted(elsewhere: Elsewhere, changed: dict[str, str]) -> None:
    assert verdict(await refusal_of(elsewhere, **changed)) == UNTRUSTED


# What the adapter does on the wire


async def test_a_browser_is_sent_with_everything_that_protects_its_return(played: SandboxElsewhere) -> None:
    """And with nothing that would give the verifier away."""
    kept = new_secrets()
    url = await url_of(played, kept)
    query = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{played.issuer}/o/oauth2/v2/auth?")
    assert (query["state"], query["nonce"], query["redirect_uri"]) == (kept.state, kept.nonce, BACK)
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert set(query["scope"].split()) == {"openid", "email", "profile"}
    assert kept.verifier not in url


@pytest.mark.parametrize(
    "fault",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"iss": "https://accounts.google.com"}},
        {"claims": {"iss": None}},
        {"claims": {"aud": "another-client"}},
        {"claims": {"aud": [CLIENT, "another-client"]}},
        {"claims": {"azp": "another-client"}},
        {"claims": {"exp": 1}},
        {"claims": {"exp": None}},
        {"claims": {"iat": 4_102_444_800}},
        {"claims": {"sub": None}},
        {"claims": {"sub": ""}},
        {"claims": {"sub": 42}},
        {"claims": {"sub": "4\u00002"}},
        {"claims": {"email": ["ada@tryon.example"]}},
        {"signature": "none"},
        {"signature": "HS256"},
        {"signature": "unknown_key"},
        {"signature": "forged"},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_right_in_everything_is_not_trusted(
    played: SandboxElsewhere, fault: dict[str, Any]
) -> None:
    played.script({"on": "token", "id_token": fault})
    assert verdict(await refusal_of(played)) == UNTRUSTED


@pytest.mark.parametrize("claimed", ["true", 1, None])
async def test_only_true_is_a_verified_address(played: SandboxElsewhere, claimed: object) -> None:
    played.script({"on": "token", "id_token": {"claims": {"email_verified": claimed}}})
    assert (await sign_in(played)).email_verified is False


async def test_a_minute_of_difference_between_clocks_is_forgiven(played: SandboxElsewhere) -> None:
    kept = new_secrets()
    _, code = await played.consent(await url_of(played, kept), **ADA)
    played.script({"on": "token", "id_token": {"claims": {"exp": _now() - 30, "iat": _now() + 30}}})
    assert await played.provider.identify(code=code, nonce=kept.nonce, verifier=kept.verifier, issuer=None)


async def test_what_no_column_could_hold_is_left_out(played: SandboxElsewhere) -> None:
    strange = {"email": "ad\u0000a@tryon.example", "picture": "https://p.test/\u0000"}
    played.script({"on": "token", "id_token": {"claims": strange}})
    identity = await sign_in(played)
    assert (identity.email, identity.picture_url) == ("", None)


async def test_documents_are_fetched_once_and_keys_again_when_one_is_unknown(played: SandboxElsewhere) -> None:
    """A rotation is noticed at the first token of the new key; unknown keys do not make us ask each time."""
    for _ in range(3):
        await sign_in(played)
    assert (played.calls("discovery"), played.calls("jwks")) == (1, 1)
    played.rotate()
    await sign_in(played)
    assert played.calls("jwks") == 2
    played.script({"on": "token", "times": None, "id_token": {"signature": "unknown_key"}})
    for _ in range(3):
        assert verdict(await refusal_of(played)) == UNTRUSTED
    assert played.calls("jwks") == 0


async def test_keys_expire_when_their_server_said(sandbox: RunningSandbox) -> None:
    clock = [0.0]
    played = SandboxElsewhere(sandbox, now=lambda: clock[0])
    for _ in range(2):
        await sign_in(played)
    clock[0] = 3_601  # the discovery document lives for an hour, the keys for six
    await sign_in(played)
    assert (played.calls("discovery"), played.calls("jwks")) == (2, 1)
    clock[0] = 21_601
    await sign_in(played)
    assert played.calls("jwks") == 2
    await played.provider.aclose()


async def test_many_at_once_share_one_look_at_the_documents(played: SandboxElsewhere) -> None:
    await asyncio.gather(*(sign_in(played) for _ in range(5)))
    assert (played.calls("discovery"), played.calls("jwks"), played.calls("token")) == (1, 1, 5)


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 500},
        {"status": 503},
        {"status": 429},
        {"status": 401},
        {"status": 400, "json": {"error": "redirect_uri_mismatch"}},
        {"status": 302, "headers": {"Location": "/google/token"}},
        {"text": "<html>"},
        {"json": {"access_token": "x"}},
        {"json": []},
        {"text": "[" * 5_000},
        {"text": "x" * 300_000},
    ],
    ids=lambda reply: str(reply)[:60],
)
async def test_an_exchange_that_may_work_another_time(played: SandboxElsewhere, reply: dict[str, Any]) -> None:
    """Asked once: a code that was lost on its way is not good any more."""
    played.script({"on": "token", "reply": reply})
    assert verdict(await refusal_of(played)) == AWAY
    assert played.calls("token") == 1


async def test_a_refused_code_is_never_good(played: SandboxElsewhere) -> None:
    played.script({"on": "token", "reply": {"status": 400, "json": {"error": "invalid_grant"}}})
    assert verdict(await refusal_of(played)) == UNTRUSTED


@pytest.mark.parametrize("fault", [{"reset": True}, {"hang": 30}, {"truncate": 40}], ids=str)
@pytest.mark.parametrize("operation", ["token", "jwks"])
async def test_silence_and_cuts_are_a_provider_that_is_away(
    sandbox: RunningSandbox, operation: str, fault: dict[str, Any]
) -> None:
    played = SandboxElsewhere(sandbox, documents=SmallDocuments(timeout=0.5))
    played.script({"on": operation, **fault})
    assert verdict(await refusal_of(played)) == AWAY
    assert await sign_in(played)
    await played.provider.aclose()


@pytest.mark.parametrize(
    "reply",
    [
        answer(503),
        answer(200, b"<html>"),
        answer(200, {}),
        answer(200, {"issuer": "https://x.test", "authorization_endpoint": "", "token_endpoint": "", "jwks_uri": ""}),
        answer(200, b"{}", Content_Encoding="gzip"),
        silence,
        reset,
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65_536),
    ],
    ids=["503", "html", "empty", "issuer", "gzip", "silence", "reset", "drip"],
)
async def test_without_a_good_discovery_document_nobody_is_sent_anywhere(reply: Any) -> None:
    async with MisbehavingServer(reply) as server:
        provider = _at(server.url, documents=SmallDocuments(timeout=1))
        with pytest.raises(Unavailable) as failure:
            await provider.authorization_url(state="s", nonce="n", verifier="v")
        await provider.aclose()
    assert failure.value.code == "provider_unavailable"


class CannedDocuments(SmallDocuments):
    """What a provider out there would answer, by address."""

    def __init__(self, answers: dict[str, object]) -> None:
        super().__init__()
        self._answers = answers

    async def get(self, url: str) -> Answer:
        return Answer(200, "", msgspec.json.encode(self._answers[url]))

    async def post(self, url: str, form: Mapping[str, str]) -> Answer:
        assert form["code"]
        return await self.get(url)


def documents_of(issuer: str, **changed: str) -> dict[str, object]:
    endpoints = {"authorization_endpoint": f"{issuer}/a", "token_endpoint": f"{issuer}/t", "jwks_uri": f"{issuer}/k"}
    return {f"{issuer}/.well-known/openid-configuration": {"issuer": issuer, **endpoints, **changed}}


async def test_an_https_issuer_does_not_lead_away_from_https() -> None:
    """Its document cannot have codes and secrets sent in the clear."""
    issuer = "https://issuer.test"
    provider = _at(issuer, documents=CannedDocuments(documents_of(issuer, token_endpoint="http://issuer.test/t")))
    with pytest.raises(Unavailable):
        await provider.authorization_url(state="s", nonce="n", verifier="v")
    await provider.aclose()


@pytest.mark.parametrize(
    ("issuer", "spelt", "is_trusted"),
    [
        (GOOGLE, GOOGLE, True),
        (GOOGLE, "accounts.google.com", True),
        (GOOGLE, "http://accounts.google.com", False),
        ("https://issuer.test", "issuer.test", False),
        ("https://issuer.test", "accounts.google.com", False),
    ],
)
async def test_two_spellings_of_an_issuer_are_googles_alone(issuer: str, spelt: str, is_trusted: bool) -> None:
    """Whichever it used, the identity is the same."""
    key = SigningKey()
    claims = {"iss": spelt, "aud": CLIENT, "sub": "42", "nonce": "n", "iat": _now(), "exp": _now() + 60}
    answers = documents_of(issuer) | {
        f"{issuer}/k": {"keys": [key.shown()]},
        f"{issuer}/t": {"id_token": key.sign(claims)},
    }
    provider = _at(issuer, documents=CannedDocuments(answers))
    if is_trusted:
        identity = await provider.identify(code="4/x", nonce="n", verifier="v", issuer=issuer)
        assert identity == ProviderIdentity(issuer=issuer, subject="42")
    else:
        with pytest.raises(Invalid):
            await provider.identify(code="4/x", nonce="n", verifier="v", issuer=None)
    await provider.aclose()


def _at(issuer: str, *, documents: SmallDocuments) -> GoogleIdentityProvider:
    return GoogleIdentityProvider(
        issuer=issuer, client_id=CLIENT, client_secret="any", redirect_uri=BACK, documents=documents
    )


def _now() -> int:
    return int(time.time())
