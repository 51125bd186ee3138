from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.images.failing import fail_open
from application.images.ports import ImageRepository
from application.images.settlement import Settlement
from application.ports import UnitOfWork
from application.queue.ports import BacklogReader
from domain.views import ViewError

_AT_ONCE = 100


class FailOpenImages(Struct, frozen=True):
    reason: Reason


class OpenImagesFailed(Struct, frozen=True):
    images: int
    views: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailOpenImagesHandler:
    """End everything that is in progress as failed, so that every customer has the credits back and can retry.

    Each try-on in a transaction of its own, with an entry of its own in the audit log: what is done stays done, and
    workers wait for none for long.
    """

    backlogs: BacklogReader
    images: ImageRepository
    settlement: Settlement
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: FailOpenImages, actor: Actor) -> OpenImagesFailed:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        images = views = after = 0
        while found := await self.backlogs.open_images(after=after, limit=_AT_ONCE):
            for image_id in found:
                failed = await self._fail(image_id, operator, reason)
                images, views = images + bool(failed), views + failed
            after = found[-1]
        return OpenImagesFailed(images, views)

    async def _fail(self, image_id: int, operator: str, reason: str) -> int:
        """How many views that ended."""
        image = await self.images.by_id(image_id)
        if image is None:
            return 0
        change = fail_open(image, ViewError.INTERNAL_ERROR, await self.uow.now())
        if change.ended:
            await self.settlement.settle(change)
            details = {"views": [render.view for render in change.ended]}
            await self.audit.note(operator, "queue.drain", f"image:{image.id}", reason=reason, details=details)
        await self.uow.commit()
        return len(change.ended)
