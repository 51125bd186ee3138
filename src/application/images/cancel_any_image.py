from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.images.image_records import ImageDetails, ImageRecords, read_image
from application.images.own_image import claim_any_image
from application.images.ports import ImageRepository
from application.images.settlement import Settlement
from application.ports import UnitOfWork
from domain.errors import Conflict


class CancelAnyImage(Struct, frozen=True):
    image_id: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnyImageHandler:
    """Stop what is in progress of a customer's try-on, however often, and give its credits back."""

    images: ImageRepository
    settlement: Settlement
    records: ImageRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: CancelAnyImage, actor: Actor) -> ImageDetails:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        image = await claim_any_image(self.images, command.image_id)
        change = image.cancel(await self.uow.now())
        if not change.ended:
            raise Conflict("conflict", "There is nothing here that could be cancelled.")
        await self.settlement.settle(change)
        details = {"views": [render.view for render in change.ended]}
        await self.audit.note(operator, "image.cancel", f"image:{image.id}", reason=reason, details=details)
        await self.uow.commit()
        return await read_image(self.records, image.id)
