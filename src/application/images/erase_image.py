from dataclasses import dataclass

from application.actor import Actor
from application.events import ImageDeleted
from application.images.picture_removal import PictureRemoval
from application.images.ports import ImageRepository
from application.ports import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseImageHandler:
    """Remove the outputs of a deleted try-on; one that another try-on shows as well stays.

    Raises `Unavailable` when storage is away: then it is done again.
    """

    images: ImageRepository
    removal: PictureRemoval
    uow: UnitOfWork

    async def __call__(self, event: ImageDeleted, actor: Actor) -> None:
        image = await self.images.by_id(event.image_id)
        if image is None:
            return
        keys = image.output_keys
        keys -= await self.images.shown_outputs(keys, owner=image.user_id)
        await self.uow.commit()
        await self.removal.remove(keys, event)
        await self.uow.commit()
