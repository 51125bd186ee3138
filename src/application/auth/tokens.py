"""The answer to every successful sign-in."""

from typing import Literal

from msgspec import Struct


class TokenPair(Struct, frozen=True):
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token expires."""
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the OAuth 2.0 word, RFC 6750


class Accepted(Struct, frozen=True):
    message: str
