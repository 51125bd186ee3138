import base64
import hmac
import json
import pickle
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Unauthenticated
from domain.sessions import Session
from infrastructure.tokens import AUDIENCE, ISSUER, LEEWAY, LONGEST_TOKEN, JwtTokens
from tests.unit.factories import SessionFactory

KEY, OLD_KEY = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
LIFE = timedelta(minutes=10)


def made_with(key: str = KEY, previous: str = "") -> JwtTokens:
    return JwtTokens(key, previous, access_life=LIFE, refresh_life=timedelta(days=7))


TOKENS = made_with()


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def a_session(**changes: Any) -> Session:
    moment = now()
    times = {"created_at": moment, "rotated_at": moment, "last_used_at": moment}
    session = SessionFactory.build(user_id=7, **(times | changes))
    session.id = 31
    return session


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(
    claims: dict[str, Any], *, key: str = KEY, algorithm: str = "HS256", kid: object = None, typ: str = "at+jwt"
) -> str:
    """A token with these claims, in the form of ours."""
    name = sha256(b"kid:" + KEY.encode()).hexdigest()[:12] if kid is None else kid
    message = f"{part({'alg': algorithm, 'typ': typ, 'kid': name})}.{part(claims)}"
    return f"{message}.{encoded(hmac.digest(key.encode(), message.encode(), 'sha256'))}"


def part(content: dict[str, Any]) -> str:
    return encoded(json.dumps(content).encode())


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def access_claims(**changes: Any) -> dict[str, Any]:
    ours = claims_of(TOKENS.access(a_session(), now()))
    return {name: value for name, value in (ours | changes).items() if value is not ...}


def refused(read: Callable[[str], object], token: str) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        read(token)
    return refusal.value.code


def test_an_access_token_says_who_and_which_session() -> None:
    moment = now()
    claims = TOKENS.read_access(TOKENS.access(a_session(), moment))
    assert (claims.user_id, claims.session_id) == (7, 31)
    assert claims.expires_at == int((moment + LIFE).timestamp())


def test_every_access_token_has_an_id_of_its_own() -> None:
    """So that one can be revoked without its brothers."""
    session, moment = a_session(), now()
    ids = {TOKENS.read_access(TOKENS.access(session, moment)).token_id for _ in range(100)}
    assert len(ids) == 100


def test_tokens_say_what_they_are() -> None:
    """The type is in the header (RFC 9068), and neither kind is read as the other."""
    session = a_session()
    access, refresh = TOKENS.access(session, now()), TOKENS.refresh(session)
    assert jwt.get_unverified_header(access) | {"kid": ""} == {"alg": "HS256", "typ": "at+jwt", "kid": ""}
    assert jwt.get_unverified_header(refresh)["typ"] == "rt+jwt"
    assert refused(TOKENS.read_refresh, access) == "not_authenticated"
    assert refused(TOKENS.read_access, refresh) == "not_authenticated"


def test_the_same_refresh_token_is_made_each_time_it_is_asked_for() -> None:
    """So two tabs get the same one; the next counter gives another."""
    session = a_session(counter=4)
    token = TOKENS.refresh(session)
    assert TOKENS.refresh(session) == token
    claims = TOKENS.read_refresh(token)
    assert (claims.session_id, claims.counter) == (31, 4)
    session.counter += 1
    assert TOKENS.refresh(session) != token


def test_a_refresh_token_lives_a_week_and_never_longer_than_its_session() -> None:
    fresh = a_session()
    assert TOKENS.read_refresh(TOKENS.refresh(fresh)).expires_at == fresh.rotated_at + timedelta(days=7)
    old = a_session(created_at=now() - timedelta(days=29))
    assert TOKENS.read_refresh(TOKENS.refresh(old)).expires_at == old.created_at + timedelta(days=30)


def test_a_token_ends_half_a_minute_after_its_time() -> None:
    """The clocks of two machines may differ by as much."""
    session = a_session()
    alive = TOKENS.access(session, now() - LIFE - LEEWAY + timedelta(seconds=10))
    assert TOKENS.read_access(alive).user_id == 7
    dead = TOKENS.access(session, now() - LIFE - LEEWAY)
    assert refused(TOKENS.read_access, dead) == "token_expired"
    spent = TOKENS.refresh(a_session(rotated_at=now() - timedelta(days=8)))
    assert refused(TOKENS.read_refresh, spent) == "token_expired"


def test_a_token_from_a_clock_that_is_ahead_is_taken() -> None:
    """Refresh tokens are issued by the database's clock; only when they end matters."""
    ahead = a_session(rotated_at=now() + timedelta(minutes=10))
    assert TOKENS.read_refresh(TOKENS.refresh(ahead)).counter == 0


def test_the_previous_key_still_opens_what_it_signed() -> None:
    """Keys are replaced with nobody logged out; what is signed from then on needs the new one."""
    before = made_with(OLD_KEY).access(a_session(), now())
    rotated = made_with(KEY, OLD_KEY)
    assert rotated.read_access(before).user_id == 7
    after = rotated.access(a_session(), now())
    assert refused(made_with(OLD_KEY).read_access, after) == "not_authenticated"
    assert refused(made_with(KEY).read_access, before) == "not_authenticated"


def test_the_name_of_a_key_does_not_give_it_away() -> None:
    token = TOKENS.access(a_session(), now())
    kid = jwt.get_unverified_header(token)["kid"]
    assert len(kid) == 12
    assert kid not in KEY


def test_a_token_made_as_ours_are_is_taken() -> None:
    """Else the refusals below would prove nothing."""
    assert TOKENS.read_access(signed(access_claims())).user_id == 7


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "sid", "jti", "iat", "exp"])
def test_every_claim_is_required(missing: str) -> None:
    assert refused(TOKENS.read_access, signed(access_claims(**{missing: ...}))) == "not_authenticated"


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "another"},
        {"iss": [ISSUER]},
        {"aud": "another"},
        {"aud": []},
        {"sub": 7},
        {"sub": "x"},
        {"sub": "-7"},
        {"sub": "9" * 19},
        {"sub": ""},
        {"sid": "31"},
        {"sid": -1},
        {"sid": 2**63},
        {"sid": 1.5},
        {"sid": None},
        {"exp": "tomorrow"},
        {"exp": None},
        {"nbf": 4_102_444_800},
    ],
    ids=str,
)
def test_claims_that_we_would_not_make_are_refused(wrong: dict[str, Any]) -> None:
    """Even under our signature."""
    assert refused(TOKENS.read_access, signed(access_claims(**wrong))) == "not_authenticated"


@pytest.mark.parametrize(
    "kid", ["", "another", "../../dev/null", None, 7, [], {}, "0" * 5000], ids=lambda kid: repr(kid)[:20]
)
def test_a_key_that_we_do_not_know_opens_nothing(kid: object) -> None:
    assert refused(TOKENS.read_access, signed(access_claims(), kid=kid or "another")) == "not_authenticated"


@pytest.mark.parametrize("typ", ["JWT", "at+jwt ", "AT+JWT", ""])
def test_another_type_is_refused(typ: str) -> None:
    assert refused(TOKENS.read_access, signed(access_claims(), typ=typ)) == "not_authenticated"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS512", "RS256", "hs256", ""])
def test_the_token_does_not_choose_its_algorithm(algorithm: str) -> None:
    assert refused(TOKENS.read_access, signed(access_claims(), algorithm=algorithm)) == "not_authenticated"


def test_another_key_signs_nothing() -> None:
    assert refused(TOKENS.read_access, signed(access_claims(), key=OLD_KEY)) == "not_authenticated"


def test_an_unsigned_token_is_refused() -> None:
    header, body, _ = signed(access_claims(), algorithm="none").split(".")
    for token in (f"{header}.{body}.", f"{header}.{body}"):
        assert refused(TOKENS.read_access, token) == "not_authenticated"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d",
        "\x00",
        "\ud800.\ud800.\ud800",
        "é.é.é",
        " ",
        "x" * LONGEST_TOKEN,
        "x" * 100_000,
        base64.urlsafe_b64encode(pickle.dumps(1)).decode(),
        base64.urlsafe_b64encode(b'{"alg":' + b"[" * 3000).decode() + ".e30.e30",
    ],
    ids=lambda text: f"{len(text)} characters",
)
def test_what_is_no_token_is_refused(text: str) -> None:
    for read in (TOKENS.read_access, TOKENS.read_refresh):
        assert refused(read, text) == "not_authenticated"


@given(st.text(max_size=200), st.integers(0, 400))
def test_a_changed_token_is_refused_or_says_the_same(put_in: str, place: int) -> None:
    """A decoder may overlook padding; nobody becomes somebody else by it."""
    token = TOKENS.access(a_session(), now())
    place = min(place, len(token))
    try:
        claims = TOKENS.read_access(token[:place] + put_in + token[place:])
    except Unauthenticated:
        return
    assert claims == TOKENS.read_access(token)


def test_a_mailed_token_comes_from_its_seed_and_our_key() -> None:
    """It is not stored, is too long to guess, and needs no escaping in an address."""
    seed = secrets.token_bytes(32)
    token = TOKENS.mailed(seed)
    assert TOKENS.mailed(seed) == token
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert token not in {TOKENS.mailed(secrets.token_bytes(32)), made_with(OLD_KEY).mailed(seed)}
    assert "=" not in token


def test_the_audience_and_the_issuer_are_ours() -> None:
    claims = access_claims()
    assert (claims["aud"], claims["iss"]) == (AUDIENCE, ISSUER)
