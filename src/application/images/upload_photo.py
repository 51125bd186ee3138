from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import UserRepository
from application.images.ports import PictureProcessor, PictureStorage, UploadRepository
from application.ports import UnitOfWork
from application.users.account import claim_account
from domain.errors import NotFound, TooLarge
from domain.uploads import Upload, new_upload_key

LARGEST_UPLOAD = 10 * 1024 * 1024
"""Bytes."""


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
    uow: UnitOfWork

    async def __call__(self, command: UploadPhoto, actor: Actor) -> UploadedPhoto:
        owner = actor.require_user()
        if len(command.data) > LARGEST_UPLOAD:
            raise TooLarge("payload_too_large", "A photo has 10 MB at most.", field="file")
        picture = await self.pictures.normalise(command.data)
        key = new_upload_key()
        await self.storage.put(key, picture.data)
        try:
            await claim_account(self.users, owner)
        except NotFound:
            await self.uow.rollback()
            await self.storage.delete(key)
            raise
        upload = Upload(
            user_id=owner,
            key=key,
            width=picture.width,
            height=picture.height,
            size=len(picture.data),
            created_at=await self.uow.now(),
        )
        await self.uploads.add(upload)
        await self.uow.commit()
        return UploadedPhoto(await self.storage.url(key), picture.width, picture.height, len(picture.data))
