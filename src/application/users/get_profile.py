from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.users.ports import Profile, ProfileReader
from domain.errors import NotFound


class GetProfile(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProfileHandler:
    """What a customer's own account looks like."""

    profiles: ProfileReader

    async def __call__(self, query: GetProfile, actor: Actor) -> Profile:
        profile = await self.profiles.profile(actor.require_user())
        if profile is None:
            raise NotFound("user_not_found", "There is no such user.")
        return profile
