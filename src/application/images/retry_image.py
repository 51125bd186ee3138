from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.own_image import claim_image, read_status
from application.images.ports import ImageReader, ImageRepository, ImageStatus
from application.images.settlement import Settlement
from application.ports import IdempotencyKeys, IdempotentRequest, UnitOfWork
from domain.views import RenderPolicy


class RetryImage(Struct, frozen=True):
    image_id: int


class RetryAccepted(Struct, frozen=True):
    image_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryImageHandler:
    """Render the views that failed again: at their price, with a new deadline, as often as they may be tried anew."""

    images: ImageRepository
    reader: ImageReader
    settlement: Settlement
    idempotency: IdempotencyKeys
    uow: UnitOfWork
    policy: RenderPolicy

    async def __call__(self, command: RetryImage, actor: Actor, key: str | None = None) -> ImageStatus:
        owner = actor.require_user()
        request = IdempotentRequest.of(owner, "retry", key, command.image_id)
        if not await self.idempotency.replay(request, RetryAccepted):
            image = await claim_image(self.images, command.image_id, owner=owner)
            await self.settlement.begin(image, image.retry(await self.uow.now(), self.policy))
            await self.idempotency.keep(request, RetryAccepted(image.id))
        await self.uow.commit()
        return await read_status(self.reader, command.image_id, owner=owner)
