"""Mails: what is sent, who sends it, and who words it."""

from typing import Protocol

from msgspec import Struct


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
