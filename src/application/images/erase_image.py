from dataclasses import dataclass

from application.actor import Actor
from application.events import ImageDeleted, PictureDiscarded
from application.images.picture_removal import PictureRemoval
from application.images.ports import ImageRepository
from application.images.upload_ports import UploadRepository
from application.ports import Outbox, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseImageHandler:
    """Remove the outputs of a deleted try-on; one that another try-on shows as well stays.

    The photo goes with the last look, minutes later, unless another try-on has it: until then it can be picked again.
    Raises `Unavailable` when storage is away: then it is done again.
    """

    images: ImageRepository
    uploads: UploadRepository
    removal: PictureRemoval
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, event: ImageDeleted, actor: Actor) -> None:
        image = await self.images.by_id(event.image_id)
        if image is None:
            return
        keys = image.output_keys
        keys -= await self.images.shown_outputs(keys, owner=image.user_id)
        await self.uow.commit()
        await self.removal.remove(keys, event)
        if event.last and image.upload_id is not None:
            photo = await self.uploads.sweep(image.upload_id)
            if photo is not None:
                self.outbox.add(PictureDiscarded(photo))
        await self.uow.commit()
