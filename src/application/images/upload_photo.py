from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import UserRepository
from application.images.new_files import NewFiles
from application.images.ports import Picture, PictureProcessor, PictureStorage
from application.images.upload_ports import UploadRepository
from application.ports import UnitOfWork
from application.users.account import claim_account
from domain.errors import NotFound, TooLarge
from domain.uploads import LARGEST_UPLOAD, Upload, new_upload_key


class UploadPhoto(Struct, frozen=True):
    data: bytes


class UploadedPhoto(Struct, frozen=True):
    image_input_url: str
    width: int
    height: int
    size: int
    """Bytes of the stored picture."""
    content_type: Literal["image/jpeg"] = "image/jpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPhotoHandler:
    """Keep a customer's photo in our own encoding, and hand out the address that names it.

    An account that was deleted while the photo was on its way keeps none.
    """

    users: UserRepository
    uploads: UploadRepository
    pictures: PictureProcessor
    storage: PictureStorage
    files: NewFiles
    uow: UnitOfWork

    async def __call__(self, command: UploadPhoto, actor: Actor) -> UploadedPhoto:
        owner = actor.require_user()
        if len(command.data) > LARGEST_UPLOAD:
            raise TooLarge("payload_too_large", "A photo has 10 MB at most.", field="file")
        picture = await self.pictures.normalise(command.data)
        key = new_upload_key()
        await self.files.put(key, picture.data, owner=owner)
        try:
            await claim_account(self.users, owner)
        except NotFound:
            await self.files.give_up(key)
            raise
        upload = photo_of(picture, key=key, owner=owner, now=await self.uow.now())
        await self.uploads.add(upload)
        await self.files.recorded(key)
        await self.uow.commit()
        return await describe(upload, self.storage)


def photo_of(picture: Picture, *, key: str, owner: int, now: datetime) -> Upload:
    """The record of a photo that is stored under this key."""
    return Upload.of(picture.data, width=picture.width, height=picture.height, key=key, owner=owner, now=now)


async def describe(upload: Upload, storage: PictureStorage) -> UploadedPhoto:
    """What a customer is told of a photo."""
    return UploadedPhoto(await storage.url(upload.key), upload.width, upload.height, upload.size)
