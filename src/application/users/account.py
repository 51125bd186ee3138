"""The account of whoever asks, or that an operator asks about. It may have been deleted a moment ago."""

from application.auth.ports import UserRepository
from application.users.ports import Profile, ProfileReader, UserDetails, UserRecords
from domain.errors import NotFound
from domain.users import User


async def claim_account(users: UserRepository, user_id: int) -> User:
    """The user, kept to this transaction until it ends, or `NotFound` (`user_not_found`)."""
    user = await users.claim(user_id)
    if user is None or user.deleted_at is not None:
        raise _gone()
    return user


async def read_profile(profiles: ProfileReader, user_id: int) -> Profile:
    """The profile as it stands, or `NotFound` (`user_not_found`)."""
    profile = await profiles.profile(user_id)
    if profile is None:
        raise _gone()
    return profile


async def read_user(records: UserRecords, user_id: int) -> UserDetails:
    """The account as operators see it, or `NotFound` (`user_not_found`)."""
    user = await records.user(user_id)
    if user is None:
        raise _gone()
    return user


def _gone() -> NotFound:
    return NotFound("user_not_found", "There is no such user.")
