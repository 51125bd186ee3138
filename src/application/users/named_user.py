"""How operators name a customer."""

from application.auth.ports import UserRepository
from application.users.account import claim_account
from domain.errors import NotFound
from domain.users import User

_DIGITS = 18
"""Of an id, at most; a longer number is no id and, as an address, nobody's."""


def named_id(email_or_id: str) -> int | None:
    """The id that is meant; None where an address is."""
    return int(email_or_id) if email_or_id.isdecimal() and len(email_or_id) <= _DIGITS else None


def named_address(email_or_id: str) -> str:
    return email_or_id.strip().lower()


async def user_named(users: UserRepository, email_or_id: str) -> User:
    """The user of an address or an id, erased ones by their id too; or `NotFound` (`user_not_found`)."""
    user_id = named_id(email_or_id)
    user = await users.by_email(named_address(email_or_id)) if user_id is None else await users.by_id(user_id)
    if user is None:
        raise nobody_named(email_or_id)
    return user


async def claim_named(users: UserRepository, email_or_id: str) -> User:
    """As `user_named`, kept to this transaction until it ends. Nothing about an erased account changes: `NotFound`."""
    named = await user_named(users, email_or_id)
    return await claim_account(users, named.id)


def nobody_named(email_or_id: str) -> NotFound:
    return NotFound("user_not_found", f"There is no user {email_or_id}.")
