from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.own_image import image_not_found
from application.images.ports import ImageReader, ImageStatus
from domain.identifiers import can_be_id


class GetStatus(Struct, frozen=True):
    image_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GetStatusHandler:
    """One of the customer's own try-ons; another's is as absent as one that never was."""

    images: ImageReader

    async def __call__(self, query: GetStatus, actor: Actor) -> ImageStatus:
        owner = actor.require_user()
        status = await self.images.status(query.image_id, owner=owner) if can_be_id(query.image_id) else None
        if status is None:
            raise image_not_found()
        return status
