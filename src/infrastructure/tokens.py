"""Access and refresh tokens and sign-in attempts: JWTs signed with HS256; and the tokens of mailed links."""

import base64
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt

from application.auth.ports import AccessClaims, RefreshClaims, SignInAttempt, Tokens
from domain.errors import Unauthenticated
from domain.identifiers import LARGEST_ID
from domain.sessions import SESSION_LIFE, Session

ISSUER = "hair-tryon"
AUDIENCE = "hair-tryon-api"
ACCESS_TYPE = "at+jwt"
"""RFC 9068, section 2.1."""
REFRESH_TYPE = "rt+jwt"
ATTEMPT_TYPE = "attempt+jwt"
ALGORITHM = "HS256"
LEEWAY = timedelta(seconds=30)
LONGEST_TOKEN = 4096
"""Characters. Ours have about 400."""

_ACCESS_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]
_ATTEMPT_CLAIMS = ["iss", "aud", "jti", "state", "nonce", "verifier", "next", "exp"]
_REFRESH_CLAIMS = ["iss", "aud", "sid", "ctr", "jti", "iat", "exp"]


class JwtTokens(Tokens):
    """Signs with the present key; accepts the previous one too, so that keys can be rotated with nobody logged out."""

    def __init__(self, secret_key: str, previous: str, *, access_life: timedelta, refresh_life: timedelta) -> None:
        self._keys = {_key_id(key): key for key in (secret_key, previous) if key}
        self._kid = _key_id(secret_key)
        self._access_life = access_life
        self._refresh_life = refresh_life

    def access(self, session: Session, now: datetime) -> str:
        return self._sign(
            {
                "sub": str(session.user_id),
                "sid": session.id,
                "jti": secrets.token_urlsafe(16),
                "iat": now,
                "exp": now + self._access_life,
            },
            ACCESS_TYPE,
        )

    def refresh(self, session: Session) -> str:
        life_ends = session.created_at + SESSION_LIFE
        return self._sign(
            {
                "sid": session.id,
                "ctr": session.counter,
                "jti": f"{session.id}.{session.counter}",
                "iat": session.rotated_at,
                "exp": min(session.rotated_at + self._refresh_life, life_ends),
            },
            REFRESH_TYPE,
        )

    def read_access(self, text: str) -> AccessClaims:
        claims = self._read(text, ACCESS_TYPE, _ACCESS_CLAIMS)
        subject = claims["sub"]
        if not (isinstance(subject, str) and subject.isdecimal() and len(subject) < len(str(LARGEST_ID))):
            raise _not_ours()
        return AccessClaims(int(subject), _identifier(claims["sid"]), claims["jti"], int(claims["exp"]))

    def read_refresh(self, text: str) -> RefreshClaims:
        claims = self._read(text, REFRESH_TYPE, _REFRESH_CLAIMS)
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        return RefreshClaims(_identifier(claims["sid"]), _identifier(claims["ctr"]), claims["jti"], expires_at)

    def attempt(self, attempt: SignInAttempt) -> str:
        return self._sign(
            {
                "jti": attempt.token_id,
                "state": attempt.state,
                "nonce": attempt.nonce,
                "verifier": attempt.verifier,
                "next": attempt.next,
                "exp": attempt.expires_at,
            },
            ATTEMPT_TYPE,
        )

    def read_attempt(self, text: str) -> SignInAttempt:
        claims = self._read(text, ATTEMPT_TYPE, _ATTEMPT_CLAIMS)
        return SignInAttempt(
            token_id=claims["jti"],
            state=claims["state"],
            nonce=claims["nonce"],
            verifier=claims["verifier"],
            next=claims["next"],
            expires_at=datetime.fromtimestamp(claims["exp"], UTC) + LEEWAY,
        )

    def mailed(self, seed: bytes) -> str:
        key = self._keys[self._kid].encode()
        return base64.urlsafe_b64encode(hmac.new(key, b"mailed link:" + seed, sha256).digest()).decode().rstrip("=")

    def _sign(self, claims: dict[str, Any], kind: str) -> str:
        headers = {"typ": kind, "kid": self._kid}
        everything = {"iss": ISSUER, "aud": AUDIENCE, **claims}
        return jwt.encode(everything, self._keys[self._kid], algorithm=ALGORITHM, headers=headers)

    def _read(self, text: str, kind: str, required: list[str]) -> dict[str, Any]:
        if len(text) > LONGEST_TOKEN:
            raise _not_ours()
        try:
            header = jwt.get_unverified_header(text)
            key = self._keys.get(header.get("kid", ""))
            if key is None or header.get("typ") != kind:
                raise _not_ours()
            return jwt.decode(
                text,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY,
                # A refresh token is issued by the database's clock, which may be ahead of ours; `exp` is what counts.
                options={"require": required, "verify_iat": False},
            )
        except jwt.ExpiredSignatureError as expired:
            raise Unauthenticated("token_expired", "This token has expired.") from expired
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as broken:
            raise _not_ours() from broken


def _key_id(key: str) -> str:
    """Name a key without giving it away."""
    return sha256(b"kid:" + key.encode()).hexdigest()[:12]


def _identifier(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value <= LARGEST_ID:
        raise _not_ours()
    return value


def _not_ours() -> Unauthenticated:
    return Unauthenticated("not_authenticated", "This token is not valid.")
