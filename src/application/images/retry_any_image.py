from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.images.image_records import ImageDetails, ImageRecords, read_image
from application.images.own_image import claim_any_image
from application.images.ports import ImageRepository
from application.images.settlement import Settlement
from application.ports import UnitOfWork
from domain.views import RenderPolicy


class RetryAnyImage(Struct, frozen=True):
    image_id: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAnyImageHandler:
    """Render a customer's failed views again, at the customer's price: who is to pay nothing is granted it first."""

    images: ImageRepository
    settlement: Settlement
    records: ImageRecords
    audit: AuditLog
    uow: UnitOfWork
    policy: RenderPolicy

    async def __call__(self, command: RetryAnyImage, actor: Actor) -> ImageDetails:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        image = await claim_any_image(self.images, command.image_id)
        again = image.retry(await self.uow.now(), self.policy)
        await self.settlement.begin(image, again)
        details = {"views": [render.view for render in again]}
        await self.audit.note(operator, "image.retry", f"image:{image.id}", reason=reason, details=details)
        await self.uow.commit()
        return await read_image(self.records, image.id)
