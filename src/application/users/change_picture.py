from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import UserRepository
from application.events import PictureDiscarded
from application.images.new_files import NewFiles
from application.images.ports import PictureProcessor
from application.ports import Outbox, UnitOfWork
from application.users.account import claim_account, read_profile
from application.users.ports import Profile, ProfileReader
from domain.errors import NotFound, TooLarge
from domain.uploads import LARGEST_UPLOAD
from domain.users import PROFILE_PICTURE_SIDES, new_profile_picture_key


class ChangePicture(Struct, frozen=True):
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePictureHandler:
    """Show another picture of a customer: the centre square of it, in our own encoding. The former one is removed."""

    users: UserRepository
    profiles: ProfileReader
    pictures: PictureProcessor
    files: NewFiles
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: ChangePicture, actor: Actor) -> Profile:
        owner = actor.require_user()
        if len(command.data) > LARGEST_UPLOAD:
            raise TooLarge("payload_too_large", "A picture has 10 MB at most.", field="file")
        smallest, largest = PROFILE_PICTURE_SIDES
        picture = await self.pictures.square(command.data, side=largest, min_side=smallest)
        key = new_profile_picture_key()
        await self.files.put(key, picture.data, owner=owner)
        try:
            user = await claim_account(self.users, owner)
        except NotFound:
            await self.files.give_up(key)
            raise
        former = user.show_picture(key)
        if former is not None:
            self.outbox.add(PictureDiscarded(former))
        await self.files.recorded(key)
        await self.uow.commit()
        return await read_profile(self.profiles, owner)
