"""The token that a browser keeps while its user is at Google."""

import secrets
from datetime import UTC, datetime, timedelta

import jwt
import msgspec
import pytest

from application.auth.ports import SignInAttempt
from domain.errors import Unauthenticated
from infrastructure.tokens import LEEWAY, JwtTokens
from tests.unit.factories import SessionFactory

KEY = secrets.token_urlsafe(48)


def made_with(key: str = KEY, previous: str = "") -> JwtTokens:
    return JwtTokens(key, previous, access_life=timedelta(minutes=10), refresh_life=timedelta(days=7))


def an_attempt(*, minutes: float = 10) -> SignInAttempt:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=minutes)
    return SignInAttempt("id", "state", "nonce", "verifier", "/gallery", ends)


def test_an_attempt_comes_back_as_it_was() -> None:
    """But for its end, which is when it is refused for certain: as long as that its use has to be remembered."""
    attempt = an_attempt()
    read = made_with().read_attempt(made_with().attempt(attempt))
    assert read == msgspec.structs.replace(attempt, expires_at=attempt.expires_at + LEEWAY)


def test_an_attempt_outlives_a_change_of_keys() -> None:
    newer = made_with(secrets.token_urlsafe(48), KEY)
    assert newer.read_attempt(made_with().attempt(an_attempt())).state == "state"


def test_an_attempt_ends() -> None:
    text = made_with().attempt(an_attempt(minutes=-1))
    with pytest.raises(Unauthenticated) as refusal:
        made_with().read_attempt(text)
    assert refusal.value.code == "token_expired"


def test_an_attempt_is_no_other_token_and_no_other_token_is_one() -> None:
    tokens = made_with()
    session = SessionFactory.build(created_at=datetime.now(UTC), rotated_at=datetime.now(UTC))
    session.id = 1
    attempt = tokens.attempt(an_attempt())
    for read in (tokens.read_access, tokens.read_refresh):
        with pytest.raises(Unauthenticated):
            read(attempt)
    for other in (tokens.access(session, datetime.now(UTC)), tokens.refresh(session), "", "\ud800", "a.b.c"):
        with pytest.raises(Unauthenticated):
            tokens.read_attempt(other)


def test_a_forged_attempt_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        made_with(secrets.token_urlsafe(48)).read_attempt(made_with().attempt(an_attempt()))
    claims = jwt.decode(made_with().attempt(an_attempt()), options={"verify_signature": False})
    with pytest.raises(Unauthenticated):
        made_with().read_attempt(jwt.encode(claims, "", algorithm="none", headers={"typ": "attempt+jwt"}))


def test_the_longest_path_fits_into_a_cookie() -> None:
    """Browsers keep 4,096 bytes of one."""
    for path in ("/" + "a" * 511, "/" + "\u00e9" * 255, "/" + "\U0001f600" * 127):
        text = made_with().attempt(msgspec.structs.replace(an_attempt(), next=path, state="s" * 43, nonce="n" * 43))
        assert len(text) < 4_000
        assert made_with().read_attempt(text).next == path
