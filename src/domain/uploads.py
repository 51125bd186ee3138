"""Input pictures: what a customer uploaded, in our own encoding."""

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

_KEY = re.compile(r"/(uploads/[A-Za-z0-9_-]{32}\.jpg)\Z")
_ADDRESS_LENGTH = 2048


@dataclass(kw_only=True, eq=False)
class Upload:
    user_id: int
    key: str
    width: int
    height: int
    size: int
    """Bytes."""
    created_at: datetime
    id: int = field(init=False, repr=False)


def new_upload_key() -> str:
    """An unguessable key: 24 random bytes."""
    return f"uploads/{secrets.token_urlsafe(24)}.jpg"


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
