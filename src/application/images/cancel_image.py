from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.cancellation_allowance import CancellationAllowance
from application.images.own_image import claim_image, read_status
from application.images.ports import ImageReader, ImageRepository, ImageStatus
from application.images.settlement import Settlement
from application.ports import UnitOfWork
from domain.errors import Conflict


class CancelImage(Struct, frozen=True):
    image_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelImageHandler:
    """Stop what is in progress and give its credits back. Who has done so too often can stop only what waits."""

    images: ImageRepository
    allowance: CancellationAllowance
    reader: ImageReader
    settlement: Settlement
    uow: UnitOfWork

    async def __call__(self, command: CancelImage, actor: Actor) -> ImageStatus:
        owner = actor.require_user()
        image = await claim_image(self.images, command.image_id, owner=owner)
        now = await self.uow.now()
        change = image.cancel(now, waiting_only=await self.allowance.is_used_up(owner, now))
        if not change.ended:
            raise Conflict("conflict", "There is nothing here that could be cancelled.")
        await self.settlement.settle(change)
        await self.uow.commit()
        return await read_status(self.reader, image.id, owner=owner)
