"""What was asked for and consented to: authorization requests, codes and access tokens."""

import base64
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from sandbox.google.people import Person

CODE_SECONDS = 60
TOKEN_SECONDS = 3_599
KEPT = 10_000

T = TypeVar("T")


class RefusedError(Exception):
    """Google shows its own error page: it sends nobody to an address it does not trust."""


class AuthorizationRequest(Struct, frozen=True, kw_only=True):
    """The query of the authorization endpoint. Fields that the sandbox makes no use of are let pass."""

    client_id: str
    redirect_uri: str
    response_type: str
    scope: str
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str = "plain"

    def check(self, client_id: str | None, redirect_uri: str | None) -> None:
        """Raise `RefusedError` unless the client is the one known, and the way back is its own; None: any."""
        back = urlsplit(self.redirect_uri)
        if client_id not in {None, self.client_id}:
            raise RefusedError("invalid_client: The OAuth client was not found.")
        is_address = back.scheme in {"http", "https"} and bool(back.netloc) and not back.fragment
        if not is_address or redirect_uri not in {None, self.redirect_uri}:
            raise RefusedError("redirect_uri_mismatch: The way back is not one that this client has registered.")
        if self.response_type != "code":
            raise RefusedError("unsupported_response_type: The sandbox plays the code flow only.")
        if "openid" not in self.scope.split():
            raise RefusedError("invalid_scope: Without the scope openid there is no ID token.")
        if self.code_challenge_method not in {"S256", "plain"}:
            raise RefusedError("invalid_request: The code challenge method is not known.")

    def verifier_fits(self, verifier: str) -> bool:
        if self.code_challenge is None:
            return True
        digest = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
        expected = digest if self.code_challenge_method == "S256" else verifier
        return secrets.compare_digest(expected.encode(), self.code_challenge.encode())


class Consent(Struct, frozen=True):
    person: Person
    request: AuthorizationRequest


class Vouchers(Generic[T]):
    """Words that stand for something, for a while."""

    def __init__(self, prefix: str, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._prefix = prefix
        self._seconds = seconds
        self._now = now
        self._kept: OrderedDict[str, tuple[T, float]] = OrderedDict()

    def issue(self, value: T) -> str:
        word = self._prefix + secrets.token_urlsafe(48)
        self._kept[word] = (value, self._now() + self._seconds)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return word

    def find(self, word: str) -> T | None:
        value, ends = self._kept.get(word, (None, 0.0))
        return value if self._now() < ends else None

    def take(self, word: str) -> T | None:
        """As `find`, once."""
        found = self.find(word)
        self._kept.pop(word, None)
        return found


def first_values(query: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in query.items()}
