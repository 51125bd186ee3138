"""ID tokens, as they should be and as they should not. https://developers.google.com/identity/openid-connect/reference"""

import base64
import secrets
import time
from hashlib import sha256
from typing import Any

import jwt

from sandbox.google.grants import Consent
from sandbox.google.keys import KeyRing, SigningKey
from sandbox.google.people import Person
from sandbox.script import IdTokenFault

LIFE_SECONDS = 3_600


def id_token(issuer: str, consent: Consent, access_token: str, keys: KeyRing, fault: IdTokenFault) -> str:
    now = int(time.time())
    request = consent.request
    claims: dict[str, Any] = {
        "iss": issuer,
        "azp": request.client_id,
        "aud": request.client_id,
        **about(consent.person, request.scope),
        "at_hash": half_hash(access_token),
        "iat": now,
        "exp": now + LIFE_SECONDS,
    }
    if request.nonce is not None:
        claims["nonce"] = request.nonce
    claims |= fault.claims
    claims = {name: value for name, value in claims.items() if value is not None}
    match fault.signature:
        case "none":
            return jwt.encode(claims, "", algorithm="none", headers={"kid": keys.current.kid})
        case "HS256":
            # The confusion of RFC 8725, section 2.1: a shared secret that is the public key everybody knows.
            secret = keys.current.shown()["n"]
            return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": keys.current.kid})
        case "unknown_key":
            return SigningKey().sign(claims)
        case "forged":
            return SigningKey().sign(claims, kid=keys.current.kid)
        case _:
            return keys.current.sign(claims)


def about(person: Person, scope: str) -> dict[str, Any]:
    """What a scope lets a client know (OpenID Connect Core 1.0, section 5.4)."""
    known: dict[str, Any] = {"sub": person.sub}
    if "email" in scope.split():
        known |= {"email": person.email, "email_verified": person.email_verified}
    if "profile" in scope.split():
        given, _, family = person.name.partition(" ")
        told = {"name": person.name, "given_name": given, "family_name": family, "picture": person.picture}
        known |= {name: value for name, value in told.items() if value}
    return known


def half_hash(access_token: str) -> str:
    """`at_hash` (OpenID Connect Core 1.0, section 3.1.3.6)."""
    return base64.urlsafe_b64encode(sha256(access_token.encode()).digest()[:16]).decode().rstrip("=")


def new_id() -> str:
    """A number like those that Google gives to accounts."""
    return "1" + "".join(secrets.choice("0123456789") for _ in range(20))
