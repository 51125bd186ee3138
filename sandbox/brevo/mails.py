"""The message that Brevo accepts, and the box in which the sandbox keeps it instead of sending it."""

import re
import secrets
import time
from collections import OrderedDict, deque
from datetime import UTC, datetime
from html import unescape
from typing import Annotated, Any

from msgspec import Meta, Struct, field

KEPT = 1_000
IDEMPOTENCY_SECONDS = 30 * 60
LINK = re.compile(r"""href\s*=\s*["']([^"']+)["']""", re.IGNORECASE)

Name = Annotated[str, Meta(max_length=70)]
Address = Annotated[str, Meta(pattern=r"^[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+$|^[^@\s<>]+@localhost$")]


class Party(Struct, frozen=True):
    email: Address
    name: Name | None = None


class Sender(Struct, frozen=True):
    email: Address | None = None
    name: Name | None = None
    id: int | None = None


class Message(Struct, frozen=True, rename="camel"):
    """The body of `POST /smtp/email`; fields that the sandbox makes no use of are let pass.

    Source: https://developers.brevo.com/reference/send-transac-email
    """

    sender: Sender | None = None
    to: list[Party] | None = None
    cc: list[Party] = []
    bcc: list[Party] = []
    reply_to: Party | None = None
    subject: str | None = None
    html_content: str | None = None
    text_content: str | None = None
    template_id: int | None = None
    tags: list[str] = []
    headers: dict[str, str] = {}
    params: dict[str, Any] = {}
    scheduled_at: str | None = None

    def header(self, name: str) -> str | None:
        """Brevo normalises the case of header names, so any spelling counts."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


class Mail(Struct, frozen=True, kw_only=True):
    """A kept message, as `GET /brevo/mails` tells it."""

    id: int
    message_id: str
    at: str
    sender: Sender | None
    to: list[Party]
    reply_to: Party | None
    subject: str
    html: str
    text: str
    tags: list[str]
    headers: dict[str, str]
    links: list[str] = field(default_factory=list)


class Mailbox:
    """The latest mails, and the idempotency keys that were used within their half hour."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=KEPT)
        self._keys: OrderedDict[str, float] = OrderedDict()
        self._count = 0

    def claim(self, key: str) -> bool:
        """Whether this idempotency key is new; from now on it is not."""
        now = time.monotonic()
        while self._keys and next(iter(self._keys.values())) < now - IDEMPOTENCY_SECONDS:
            self._keys.popitem(last=False)
        if key in self._keys:
            return False
        self._keys[key] = now
        return True

    def keep(self, message: Message, message_id: str) -> None:
        self._count += 1
        html = message.html_content or ""
        self._mails.append(
            Mail(
                id=self._count,
                message_id=message_id,
                at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                sender=message.sender,
                to=message.to or [],
                reply_to=message.reply_to,
                subject=message.subject or "",
                html=html,
                text=message.text_content or "",
                tags=message.tags,
                headers=message.headers,
                links=[unescape(link) for link in LINK.findall(html)],
            )
        )

    def newest_first(self, to: str | None = None) -> list[Mail]:
        wanted = None if to is None else to.lower()
        return [
            mail
            for mail in reversed(self._mails)
            if wanted is None or any(party.email.lower() == wanted for party in mail.to)
        ]

    def empty(self) -> None:
        self._mails.clear()


def make_message_id() -> str:
    return f"<{datetime.now(UTC):%Y%m%d%H%M}.{secrets.randbelow(10**11):011d}@smtp-relay.mailin.fr>"
