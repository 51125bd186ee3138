"""Standard Webhooks signatures (https://www.standardwebhooks.com), checked by the standard's own library.

The library lets malformed input escape as `ValueError`, `binascii.Error` and `UnicodeDecodeError`, reads timestamps as
floats, stops at the first entry that is no signature, and decodes a mistyped secret into a short key. What could lead
there is sorted out before it is asked.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping

from standardwebhooks import Webhook

from application.webhooks import WebhookVerifier
from domain.errors import Unauthenticated

_PREFIX = "whsec_"
_SHORTEST_KEY = 24
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_ID = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_SIGNATURE = re.compile(r"v1,[A-Za-z0-9+/]{43}=", re.ASCII)
"""Version 1: HMAC-SHA256, 32 bytes in base64."""


class StandardWebhookVerifier(WebhookVerifier):
    """Accepts what any of `secrets` signed: several, separated by spaces, while one replaces another.

    Without any secret every message is refused. Raises `ValueError` for a secret that is not `whsec_` and at least
    24 bytes in standard base64.
    """

    def __init__(self, secrets: str) -> None:
        self._webhooks = [Webhook(_key(secret)) for secret in secrets.split()]

    def verify(self, body: bytes, headers: Mapping[str, str]) -> str:
        fields = {name.lower(): value for name, value in headers.items()}
        signatures = [entry for entry in fields.get("webhook-signature", "").split() if _SIGNATURE.fullmatch(entry)]
        message_id, timestamp = fields.get("webhook-id", ""), fields.get("webhook-timestamp", "")
        if not (_ID.fullmatch(message_id) and signatures and _TIMESTAMP.fullmatch(timestamp)):
            raise _refusal()
        fields["webhook-signature"] = " ".join(signatures)
        if not any(_signed(webhook, body, fields) for webhook in self._webhooks):
            raise _refusal()
        return message_id


def _signed(webhook: Webhook, body: bytes, fields: dict[str, str]) -> bool:
    try:
        webhook.verify(body, fields, json_parse=False)
    except Exception:  # noqa: BLE001 - whatever an attacker makes it raise, the message is not signed
        return False
    return True


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
