from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.users.account import read_profile
from application.users.ports import Profile, ProfileReader


class GetProfile(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class GetProfileHandler:
    """What a customer's own account looks like."""

    profiles: ProfileReader

    async def __call__(self, query: GetProfile, actor: Actor) -> Profile:
        return await read_profile(self.profiles, actor.require_user())
