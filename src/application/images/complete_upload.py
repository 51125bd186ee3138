from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import UserRepository
from application.events import PictureDiscarded
from application.images.new_files import NewFiles
from application.images.ports import Picture, PictureProcessor, PictureStorage
from application.images.turns import Turns
from application.images.upload_photo import UploadedPhoto, describe, photo_of
from application.images.upload_ports import ExpectedFiles, UploadRepository
from application.ports import Outbox, UnitOfWork
from application.users.account import claim_account
from domain.errors import Conflict, NotFound, TooLarge, Unprocessable
from domain.uploads import LARGEST_UPLOAD, Upload, is_incoming_key, new_upload_key

_NONE = ""
"""The photo of an upload that was refused."""


class CompleteUpload(Struct, frozen=True, forbid_unknown_fields=True):
    key: Annotated[str, Meta(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteUploadHandler:
    """Make a photo of what a customer sent straight to storage, as if it had been uploaded here.

    Asked again, or by several at once, the answer is the same photo, for as long as the upload is remembered: a day.
    The file itself is removed, whether it is taken or refused; one that is refused ends the upload. In a process it is
    read and decoded once: the others wait until that is known.
    """

    users: UserRepository
    uploads: UploadRepository
    expected: ExpectedFiles
    pictures: PictureProcessor
    storage: PictureStorage
    files: NewFiles
    turns: Turns
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: CompleteUpload, actor: Actor) -> UploadedPhoto:
        owner = actor.require_user()
        # Each customer has turns of their own, so that nobody waits for one who asks for others' keys.
        async with self.turns.of(f"{owner} {command.key}"):
            upload = await self._known(command.key, owner) or await self._take(command.key, owner)
            await self.uow.commit()
        return await describe(upload, self.storage)

    async def _known(self, key: str, owner: int) -> Upload | None:
        """The photo that this upload has become; None when there is none yet, `NotFound` when there cannot be one."""
        direct = await self.expected.direct(key, owner=owner) if is_incoming_key(key) else None
        if direct is None:
            raise _not_found()
        if direct.upload_key is None:
            return None
        upload = await self.uploads.by_key(direct.upload_key, owner=owner) if direct.upload_key else None
        if upload is None:
            raise _not_found()
        return upload

    async def _take(self, key: str, owner: int) -> Upload:
        await self.uow.commit()
        try:
            picture = await self._picture(key)
        except NotFound as nothing:
            # Another request may have made the photo meanwhile, and the file is gone.
            if known := await self._known(key, owner):
                return known
            raise Conflict("conflict", "Nothing has been uploaded with this form yet.") from nothing
        upload_key = new_upload_key()
        await self.files.put(upload_key, picture.data, owner=owner)
        try:
            await claim_account(self.users, owner)
            known = await self._known(key, owner)
        except NotFound:
            await self.files.give_up(upload_key)
            raise
        if known is not None:
            await self.files.give_up(upload_key)
            return known
        upload = photo_of(picture, key=upload_key, owner=owner, now=await self.uow.now())
        await self.uploads.add(upload)
        await self.files.recorded(upload_key)
        await self.expected.complete(key, upload_key=upload_key)
        self.outbox.add(PictureDiscarded(key))
        return upload

    async def _picture(self, key: str) -> Picture:
        try:
            return await self.pictures.normalise(await self.storage.get(key, largest=LARGEST_UPLOAD))
        except (TooLarge, Unprocessable):
            await self._refuse(key)
            raise

    async def _refuse(self, key: str) -> None:
        await self.expected.complete(key, upload_key=_NONE)
        self.outbox.add(PictureDiscarded(key))
        await self.uow.commit()


def _not_found() -> NotFound:
    return NotFound("not_found", "There is no such upload.")
