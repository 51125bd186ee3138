from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.images.failing import fail_open
from application.images.image_records import ImageDetails, ImageRecords, read_image
from application.images.own_image import claim_any_image
from application.images.ports import ImageRepository
from application.images.settlement import Settlement
from application.ports import UnitOfWork
from domain.errors import Conflict
from domain.views import View, ViewError


class FailImage(Struct, frozen=True):
    image_id: int
    reason: Reason
    view: View | None = None
    """Only this one; a failed front takes its waiting side views along."""
    error: ViewError = ViewError.INTERNAL_ERROR
    """What the customer reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailImageHandler:
    """End what is in progress of a customer's try-on as failed, so that it can be retried; its credits come back."""

    images: ImageRepository
    settlement: Settlement
    records: ImageRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: FailImage, actor: Actor) -> ImageDetails:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        image = await claim_any_image(self.images, command.image_id)
        change = fail_open(image, command.error, await self.uow.now(), view=command.view)
        if not change.ended:
            raise Conflict("conflict", "There is nothing in progress here that could fail.")
        await self.settlement.settle(change)
        details = {"views": [render.view for render in change.ended], "error": command.error}
        await self.audit.note(operator, "image.fail", f"image:{image.id}", reason=reason, details=details)
        await self.uow.commit()
        return await read_image(self.records, image.id)
