"""What the profile use cases need from outside."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from domain.users import Role


class Profile(Struct, frozen=True):
    id: int
    email: str
    name: str
    profile_picture: str | None
    role: Role
    is_verified: bool
    oauth_provider: str | None
    credits: int
    credits_held: int
    created_at: datetime


class ProfileReader(Protocol):
    async def profile(self, user_id: int) -> Profile | None: ...
