"""Names for people that only this service can make, and from which nobody can be found."""

import hmac
from hashlib import sha256


class Pseudonyms:
    """An HMAC-SHA256 under a key that is never rotated: the same person has the same name for ever.

    Each purpose has names of its own, so that records of different purposes cannot be joined.
    """

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def of(self, purpose: str, name: str) -> bytes:
        """32 bytes."""
        return hmac.new(self._key, f"{purpose}\n{name}".encode("utf-8", "replace"), sha256).digest()
