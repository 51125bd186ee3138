"""Standard Webhooks signatures (https://www.standardwebhooks.com, section "Signature scheme"), checked.

Written out here because the library lets malformed input escape as `ValueError` and `UnicodeDecodeError`, reads
timestamps as floats, and decodes a mistyped secret into a short key.
"""

import binascii
import hashlib
import hmac
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping

from application.webhooks import WebhookVerifier
from domain.errors import Unauthenticated

TOLERANCE_SECONDS = 300

_PREFIX = "whsec_"
_SHORTEST_KEY = 24
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class StandardWebhookVerifier(WebhookVerifier):
    """Accepts what any of `secrets` signed: several, separated by spaces, while one replaces another.

    Raises `ValueError` for a secret that is not `whsec_` and at least 24 bytes in standard base64.
    """

    def __init__(self, secrets: str, *, now: Callable[[], float] = time.time) -> None:
        self._keys = [_key(secret) for secret in secrets.split()]
        if not self._keys:
            raise ValueError("no webhook secret was given")
        self._now = now

    def verify(self, body: bytes, headers: Mapping[str, str]) -> str:
        fields = {name.lower(): value for name, value in headers.items()}
        message_id = fields.get("webhook-id", "")
        timestamp = fields.get("webhook-timestamp", "")
        if not message_id or not _TIMESTAMP.fullmatch(timestamp):
            raise _refusal()
        if abs(self._now() - int(timestamp)) > TOLERANCE_SECONDS:
            raise _refusal()
        signed = f"{message_id}.{timestamp}.".encode(errors="surrogatepass") + body
        known = [b"v1," + b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in self._keys]
        given = [entry.encode(errors="surrogatepass") for entry in fields.get("webhook-signature", "").split()]
        if not any(hmac.compare_digest(one, other) for one in known for other in given):
            raise _refusal()
        return message_id


def _key(secret: str) -> bytes:
    """The secret's bytes. What is wrong with it is told without showing it."""
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) < _SHORTEST_KEY:
        raise ValueError(f"a webhook secret is {_PREFIX!r} and at least {_SHORTEST_KEY} bytes in base64")
    return key


def _refusal() -> Unauthenticated:
    return Unauthenticated("webhook_signature_invalid", "The webhook's signature is missing, wrong or too old.")
