"""What is remembered of a token, and what is not."""

import time

import pytest
from litestar.testing import RequestFactory

from application.actor import Actor
from application.auth.ports import AccessClaims, SessionGate
from domain.errors import Unauthenticated
from infrastructure.tokens import JwtTokens
from presentation.http.authentication import AnyRequest, Authenticator


class CountingTokens(JwtTokens):
    """Knows the tokens that it is told of, and counts how often it is asked."""

    def __init__(self) -> None:
        self.expiry: dict[str, float] = {}
        self.asked = 0

    def read_access(self, text: str) -> AccessClaims:
        self.asked += 1
        expires_at = self.expiry.get(text)
        if expires_at is None:
            raise Unauthenticated("not_authenticated", "This token is not valid.")
        if expires_at <= time.time():
            raise Unauthenticated("token_expired", "This token has expired.")
        return AccessClaims(user_id=1, session_id=2, token_id=text, expires_at=int(expires_at))


class CountingGate(SessionGate):
    def __init__(self) -> None:
        self.asked = 0
        self.has_ended = False

    async def admit(self, claims: AccessClaims) -> Actor:
        self.asked += 1
        if self.has_ended:
            raise Unauthenticated("not_authenticated", "This session has ended. Please log in.")
        return Actor.user(claims.user_id, session_id=claims.session_id)


@pytest.fixture
def tokens() -> CountingTokens:
    return CountingTokens()


@pytest.fixture
def gate() -> CountingGate:
    return CountingGate()


@pytest.fixture
def authenticator(tokens: CountingTokens, gate: CountingGate) -> Authenticator:
    return Authenticator(tokens, gate)


def bearing(token: str) -> AnyRequest:
    request = RequestFactory().get(headers={"Authorization": f"Bearer {token}"})
    request.scope["state"]["client"] = ("192.0.2.7", b"")  # which the edge puts there
    return request


async def test_a_token_is_verified_once_and_its_session_every_time(
    authenticator: Authenticator, tokens: CountingTokens, gate: CountingGate
) -> None:
    """A session that ends is refused at once, though the token is remembered."""
    tokens.expiry["good"] = time.time() + 600
    for _ in range(3):
        await authenticator.actor(bearing("good"))
    assert (tokens.asked, gate.asked) == (1, 3)
    gate.has_ended = True
    with pytest.raises(Unauthenticated):
        await authenticator.actor(bearing("good"))


async def test_a_remembered_token_expires(
    authenticator: Authenticator, tokens: CountingTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock, token by token, as if it had never been seen."""
    now = time.time()
    tokens.expiry["good"] = now + 600
    await authenticator.actor(bearing("good"))
    monkeypatch.setattr(time, "time", lambda: now + 601)
    with pytest.raises(Unauthenticated) as refused:
        await authenticator.actor(bearing("good"))
    assert refused.value.code == "token_expired"


async def test_a_refusal_is_not_remembered(authenticator: Authenticator, tokens: CountingTokens) -> None:
    """Each time a token that is no good comes, it is looked at."""
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await authenticator.actor(bearing("forged"))
    assert tokens.asked == 2
