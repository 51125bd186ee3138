from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import UserRepository
from application.ports import UnitOfWork
from application.users.account import claim_account, read_profile
from application.users.ports import Profile, ProfileReader
from domain.users import display_name


class UpdateProfile(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=280)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProfileHandler:
    """Change the name that mails and the profile show."""

    users: UserRepository
    profiles: ProfileReader
    uow: UnitOfWork

    async def __call__(self, command: UpdateProfile, actor: Actor) -> Profile:
        name = display_name(command.name)
        user = await claim_account(self.users, actor.require_user())
        user.name = name
        await self.uow.commit()
        return await read_profile(self.profiles, user.id)
