"""Who uses the service: users, and sign-ups that wait for their mailed link."""

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import Conflict, Invalid
from domain.texts import one_line

VERIFICATION_LIFE = timedelta(hours=24)
RESET_LIFE = timedelta(minutes=30)
NAME_LENGTH = 70
PASSWORD_LENGTH = (8, 128)
PROFILE_PICTURE_SIDES = (64, 512)
"""Pixels: the short side that is sent at least, and the square that is kept at most."""

_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_ADDRESS_LENGTH = 254
_GMAIL = {"gmail.com", "googlemail.com"}


class Role(StrEnum):
    CUSTOMER = "customer"
    ADMIN = "admin"


@dataclass(kw_only=True, eq=False)
class User:
    """A customer or an admin. Balances are kept beside it by the ledger and never written through this class."""

    email: str
    name: str
    password_hash: str | None = None
    profile_picture: str | None = None
    role: Role = Role.CUSTOMER
    is_verified: bool = False
    is_disabled: bool = False
    created_at: datetime
    deleted_at: datetime | None = None
    id: int = field(init=False, repr=False)

    def hand_over(self, password_hash: str | None = None) -> None:
        """Give an account whose address nobody had proved to whoever has proved it now, with their own password."""
        self.password_hash = password_hash
        self.is_verified = True

    def disable(self) -> None:
        """Let nobody in by this account any more, or `Conflict`; its sessions are for the caller to end."""
        if self.is_disabled:
            raise Conflict("conflict", "This account is disabled already.")
        self.is_disabled = True

    def enable(self) -> None:
        if not self.is_disabled:
            raise Conflict("conflict", "This account is not disabled.")
        self.is_disabled = False

    def become(self, role: Role) -> None:
        if self.role is role:
            raise Conflict("conflict", f"This account has the role {role} already.")
        self.role = role

    def erase(self, now: datetime) -> None:
        """Leave a pseudonym, for the ledger to go on with: nobody can be reached, recognised or signed in by it."""
        self.email = f"erased-{self.id}@erased.invalid"  # RFC 2606, section 2: no mailbox is ever there
        self.name = "Erased"
        self.password_hash = self.profile_picture = None
        self.is_disabled = True
        self.deleted_at = now

    def show_picture(self, key: str | None) -> str | None:
        """Show this picture, or none; returns the one before, whose file nothing names any more."""
        former, self.profile_picture = self.profile_picture, key
        return former


@dataclass(kw_only=True, eq=False)
class Registration:
    """A sign-up that waits for its mailed link. It proves nothing, and gives nothing, until that link is used."""

    email: str
    name: str
    password_hash: str | None
    """None where several sign-ups waited: a link proves the mailbox, and not whose password is whose."""
    disputed: bool = False
    """Its link was not mailed, for the hour's mails were used up, and by sign-ups with another password."""
    token_seed: bytes
    token_hash: bytes
    created_at: datetime
    id: int = field(init=False, repr=False)

    def expired(self, now: datetime) -> bool:
        return now >= self.created_at + VERIFICATION_LIFE

    def verify(self, now: datetime) -> User:
        """Make the user this sign-up asked for; the address is proved by the link."""
        return User(
            email=self.email, name=self.name, password_hash=self.password_hash, is_verified=True, created_at=now
        )


@dataclass(kw_only=True, eq=False)
class PasswordReset:
    """A mailed link under which the owner of an address chooses a new password, once."""

    email: str
    token_seed: bytes
    token_hash: bytes
    created_at: datetime
    id: int = field(init=False, repr=False)

    def expired(self, now: datetime) -> bool:
        return now >= self.created_at + RESET_LIFE


def email_address(text: str) -> str:
    """The address in lower case, or `Invalid`.

    Plain ASCII addresses only: what cannot be mailed to everywhere cannot be verified.
    """
    address = text.strip().lower()
    # Asked of what was written: a few letters beyond ASCII, like the Kelvin sign, are ASCII in lower case.
    if not text.isascii() or len(address) > _ADDRESS_LENGTH or not _ADDRESS.fullmatch(address):
        raise Invalid("validation_failed", "This is not an e-mail address.", field="email")
    return address


def display_name(text: str) -> str:
    """The name with control characters turned into spaces, 1 to 70 characters, or `Invalid`."""
    name = one_line(text)
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Invalid("validation_failed", f"A name has 1 to {NAME_LENGTH} characters.", field="name")
    return name


def new_profile_picture_key() -> str:
    """An unguessable key: 24 random bytes."""
    return f"pictures/profile/{secrets.token_urlsafe(24)}.jpg"


def mailbox(email: str) -> str:
    """The mailbox behind an address: without plus-tag, and without dots where Gmail ignores them.

    Two addresses with one mailbox are one person as far as free credits go.
    """
    local, _, host = email.partition("@")
    local = local.partition("+")[0]
    if host in _GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{host}"
