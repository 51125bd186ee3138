"""Signing in with Google: OpenID Connect (https://developers.google.com/identity/openid-connect/openid-connect)."""

import base64
import time
from collections.abc import Callable
from hashlib import sha256
from secrets import compare_digest
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import jwt
import msgspec
import structlog
from msgspec import Meta, Struct

from application.auth.ports import IdentityProvider, ProviderIdentity
from domain.errors import Invalid, Unavailable
from infrastructure.small_documents import KeptDocument, NoAnswer, SmallDocuments

log = structlog.get_logger()

GOOGLE = "https://accounts.google.com"
LEEWAY_SECONDS = 60
ALGORITHM = "RS256"

_SCOPE = "openid email profile"
_REQUIRED_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "nonce"]
_LONGEST_ADDRESS = 2048


class _Discovery(Struct, frozen=True):
    """OpenID Connect Discovery 1.0, section 3."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Keys(Struct, frozen=True):
    """RFC 7517, section 5."""

    keys: list[dict[str, Any]]


class _Exchange(Struct, frozen=True):
    id_token: str


class _Refusal(Struct, frozen=True):
    error: str = ""


class _Claims(Struct, frozen=True):
    """OpenID Connect Core 1.0, sections 2 and 5.1."""

    sub: Annotated[str, Meta(pattern=r"\A[!-~]{1,255}\Z")]
    nonce: str
    azp: str | None = None
    email: str = ""
    email_verified: object = False
    name: str = ""
    picture: str = ""


class GoogleIdentityProvider(IdentityProvider):
    """Any OpenID provider with RS256 and `client_secret_post`; the issuer's own document says where it answers.

    A code is exchanged in one call that is never repeated, for it works once. What the provider's keys have signed is
    believed for a minute beyond its time at most.
    """

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        documents: SmallDocuments,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        # Google documents both spellings of its own.
        self._spellings = [issuer, "accounts.google.com"] if issuer == GOOGLE else [issuer]
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._documents = documents
        self._discovery = KeptDocument(self._documents, _Discovery, now)
        self._keys = KeptDocument(self._documents, _Keys, now)

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        query = {
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "response_type": "code",
            "scope": _SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "prompt": "select_account",
        }
        try:
            endpoint = (await self._discover()).authorization_endpoint
        except NoAnswer as failure:
            raise _unavailable(failure) from failure
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def identify(self, *, code: str, nonce: str, verifier: str, issuer: str | None) -> ProviderIdentity:
        if issuer is not None and issuer != self._issuer:  # RFC 9207, section 2.4
            raise _refused("the answer is another issuer's")
        try:
            claims = await self._verified(await self._exchange(code, verifier))
        except NoAnswer as failure:
            raise _unavailable(failure) from failure
        if not compare_digest(claims.nonce.encode(), nonce.encode()):
            raise _refused("the ID token is for another sign-in")
        if claims.azp not in {None, self._client_id}:
            raise _refused("the ID token was given to another client")
        return ProviderIdentity(
            issuer=self._issuer,
            subject=claims.sub,
            email=claims.email if _is_visible(claims.email) else "",
            email_verified=claims.email_verified is True,
            name=claims.name,
            picture_url=claims.picture if _is_visible(claims.picture) and claims.picture else None,
        )

    async def aclose(self) -> None:
        await self._documents.aclose()

    async def _discover(self) -> _Discovery:
        found = await self._discovery.read(f"{self._issuer}/.well-known/openid-configuration")
        if found.issuer != self._issuer:
            raise NoAnswer("the discovery document is another issuer's")
        endpoints = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        if self._issuer.startswith("https://") and not all(url.startswith("https://") for url in endpoints):
            raise NoAnswer("the discovery document leads away from https")
        return found

    async def _exchange(self, code: str, verifier: str) -> str:
        """The ID token that a code stands for."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self._redirect_uri,
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        answer = await self._documents.post((await self._discover()).token_endpoint, form)
        if answer.is_success:
            return answer.read(_Exchange).id_token
        # Every other refusal is about our own registration or the provider's state: an operator puts it right.
        error = answer.read(_Refusal).error
        if error == "invalid_grant":
            raise _refused("the code is not good, or not any more")
        raise NoAnswer(f"the token endpoint answered {answer.status} {error[:100]!r}")

    async def _verified(self, id_token: str) -> _Claims:
        try:
            key = await self._key(jwt.get_unverified_header(id_token).get("kid"))
            claims = jwt.decode(
                id_token,
                key,
                algorithms=[ALGORITHM],
                audience=self._client_id,
                issuer=self._spellings,
                leeway=LEEWAY_SECONDS,
                options={"require": _REQUIRED_CLAIMS, "strict_aud": True},
            )
            return msgspec.convert(claims, _Claims)
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError, TypeError, RecursionError) as broken:
            raise _refused(f"the ID token is not valid: {broken!r}") from broken

    async def _key(self, kid: object) -> jwt.PyJWK:
        """The key of this name. One that is unknown may be new: the document is then fetched again."""
        url = (await self._discover()).jwks_uri
        for anew in (False, True):
            for key in (await self._keys.read(url, anew=anew)).keys:
                if key.get("kid") == kid and key.get("kty") == "RSA":
                    return jwt.PyJWK(key, ALGORITHM)
        raise _refused("the ID token is signed with a key that the issuer does not show")


def _challenge(verifier: str) -> str:
    """RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def _is_visible(text: str) -> bool:
    """Whether it could be an address at all. Its own reader judges it; this keeps out what no column holds."""
    return text.isascii() and text.isprintable() and len(text) <= _LONGEST_ADDRESS


def _refused(reason: str) -> Invalid:
    log.warning("google_sign_in_refused", reason=reason)
    return Invalid("token_invalid", "What Google sent cannot be trusted. Please try again.")


def _unavailable(failure: NoAnswer) -> Unavailable:
    log.warning("google_unavailable", reason=str(failure))
    return Unavailable("provider_unavailable", "Google cannot be reached just now.", retry_after=5)
