"""Tokens that links in mails carry: 32 random bytes, of which only a digest is looked up."""

import secrets
from hashlib import sha256

from msgspec import Struct

from application.auth.ports import Tokens

_SEED_BYTES = 32


class MailedToken(Struct, frozen=True):
    """What is kept of a token: the seed it is made from once more when the mail is written, and its digest."""

    seed: bytes
    digest: bytes

    @classmethod
    def new(cls, tokens: Tokens) -> "MailedToken":
        seed = secrets.token_bytes(_SEED_BYTES)
        return cls(seed, digest_of(tokens.mailed(seed)))


def digest_of(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
