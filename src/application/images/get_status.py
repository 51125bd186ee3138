from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.own_image import read_status
from application.images.ports import ImageReader, ImageStatus


class GetStatus(Struct, frozen=True):
    image_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GetStatusHandler:
    """One of the customer's own try-ons; another's is as absent as one that never was."""

    images: ImageReader

    async def __call__(self, query: GetStatus, actor: Actor) -> ImageStatus:
        return await read_status(self.images, query.image_id, owner=actor.require_user())
