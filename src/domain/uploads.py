"""Input pictures: what a customer uploaded, in our own encoding."""

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Self
from urllib.parse import urlsplit

LARGEST_UPLOAD = 10 * 1024 * 1024
"""Bytes."""
INCOMING = "incoming/"
"""Below it are files as they came, which nobody has looked at yet."""

_KEY = re.compile(r"/(uploads/[A-Za-z0-9_-]{32}\.jpg)\Z")
_INCOMING_KEY = re.compile(INCOMING + r"[A-Za-z0-9_-]{32}")
_ADDRESS_LENGTH = 2048


@dataclass(kw_only=True, eq=False)
class Upload:
    user_id: int
    key: str
    digest: bytes
    """SHA-256 of the stored bytes, by which the same photo is known again."""
    width: int
    height: int
    size: int
    """Bytes."""
    created_at: datetime
    id: int = field(init=False, repr=False)

    @classmethod
    def of(cls, data: bytes, *, width: int, height: int, key: str, owner: int, now: datetime) -> Self:
        """A photo whose bytes, in our own encoding, are stored under this key."""
        return cls(
            user_id=owner,
            key=key,
            digest=sha256(data).digest(),
            width=width,
            height=height,
            size=len(data),
            created_at=now,
        )


def new_upload_key() -> str:
    """An unguessable key: 24 random bytes."""
    return f"uploads/{secrets.token_urlsafe(24)}.jpg"


def new_incoming_key() -> str:
    """An unguessable key: 24 random bytes."""
    return f"{INCOMING}{secrets.token_urlsafe(24)}"


def is_incoming_key(key: str) -> bool:
    return _INCOMING_KEY.fullmatch(key) is not None


def upload_key_in(address: str) -> str | None:
    """The key that an address handed out by this API ends in; None when it is not one of ours.

    Host, signature and expiry do not matter: nothing is ever fetched from the address, and whose the key is gets
    looked up.
    """
    if len(address) > _ADDRESS_LENGTH:
        return None
    try:
        path = urlsplit(address).path
    except ValueError:
        return None
    found = _KEY.search(path)
    return found.group(1) if found else None
