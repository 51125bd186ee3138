from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.events import ImageDeleted
from application.images.own_image import claim_image
from application.images.ports import ImageRepository
from application.images.settlement import Settlement
from application.ports import Outbox, UnitOfWork


class DeleteImage(Struct, frozen=True):
    image_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteImageHandler:
    """Take one of the customer's own try-ons out of sight, and cancel what is in progress.

    Its pictures follow by the worker, and its photo too when no other try-on has it. What was spent stays spent.
    """

    images: ImageRepository
    settlement: Settlement
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: DeleteImage, actor: Actor) -> None:
        image = await claim_image(self.images, command.image_id, owner=actor.require_user())
        await self.settlement.settle(image.delete(await self.uow.now()))
        self.outbox.add(ImageDeleted(image.id))
        await self.uow.commit()
