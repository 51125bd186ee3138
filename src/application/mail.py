"""Mails: what is sent, who sends it, and who words it."""

from typing import Protocol

import structlog
from msgspec import Struct

log = structlog.get_logger()


class Mail(Struct, frozen=True):
    to: str
    name: str
    """The receiver's, 1 to 70 characters."""
    subject: str
    html: str
    text: str
    key: str
    """A UUID: the provider sends a mail once per key, however often it is handed over (within its memory)."""


class MailRefused(Exception):  # noqa: N818 - a verdict on the mail
    """The provider will not take this mail, now or later."""


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Hand a mail over. Safe to repeat.

        Raises `Unavailable` (`service_unavailable`) on what may pass, `MailRefused` on what never will.
        """
        ...


async def hand_over(mailer: Mailer, mail: Mail) -> None:
    """Send a mail, and be done with one that is refused: the same would be refused for ever."""
    try:
        await mailer.send(mail)
    except MailRefused as refusal:
        log.warning("mail_refused", key=mail.key, reason=str(refusal))


class Purchase(Struct, frozen=True):
    """What a receipt tells."""

    number: int
    credits: int
    paid: str
    """As people read it, such as `12.00 USD`."""


class Refunded(Struct, frozen=True):
    """What the notice of a refund tells."""

    number: int
    returned: str
    """As people read it."""
    credits: int
    """Bought with this purchase."""
    taken: int
    """Of these, taken back for refunds so far."""


class MailTemplates(Protocol):
    """The wording. `name` and `link` come from outside and are taken as text, never as markup."""

    def verification(self, to: str, name: str, link: str, *, key: str) -> Mail:
        """Asks to confirm an address by a link."""
        ...

    def account_exists(self, to: str, name: str, link: str, *, key: str) -> Mail:
        """Tells that somebody tried to register an address that has an account; the link leads to signing in."""
        ...

    def password_reset(self, to: str, name: str, link: str, *, key: str) -> Mail:
        """Brings a link under which a new password can be chosen."""
        ...

    def receipt(self, to: str, name: str, link: str, purchase: Purchase, *, key: str) -> Mail:
        """Confirms a purchase of credits; the link leads to where they are used."""
        ...

    def refund_notice(self, to: str, name: str, link: str, refunded: Refunded, *, key: str) -> Mail:
        """Tells that money of a purchase went back, and credits with it."""
        ...
