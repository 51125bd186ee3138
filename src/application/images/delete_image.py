from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.events import ImageDeleted
from application.images.cancellation_allowance import CancellationAllowance
from application.images.own_image import claim_image
from application.images.ports import ImageRepository
from application.images.settlement import Settlement
from application.ports import Outbox, UnitOfWork
from domain.errors import Conflict


class DeleteImage(Struct, frozen=True):
    image_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteImageHandler:
    """Take one of the customer's own try-ons out of sight, and cancel what is in progress.

    Who has stopped too often what was begun has to wait until it has ended (`Conflict`).

    Its pictures follow by the worker, and its photo too when no other try-on has it. What was spent stays spent.
    """

    images: ImageRepository
    allowance: CancellationAllowance
    settlement: Settlement
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: DeleteImage, actor: Actor) -> None:
        owner = actor.require_user()
        image = await claim_image(self.images, command.image_id, owner=owner)
        now = await self.uow.now()
        if image.begun and await self.allowance.is_used_up(owner, now):
            raise Conflict("conflict", "This is being rendered, and can be deleted when it has ended.")
        await self.settlement.settle(image.delete(now))
        self.outbox.add(ImageDeleted(image.id))
        await self.uow.commit()
