from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.own_image import claim_image
from application.images.ports import ImageRepository
from application.ports import UnitOfWork


class MarkFavourite(Struct, frozen=True):
    image_id: int
    is_favourite: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkFavouriteHandler:
    """Put one of the customer's own try-ons among their favourites, or take it out; either may be done twice."""

    images: ImageRepository
    uow: UnitOfWork

    async def __call__(self, command: MarkFavourite, actor: Actor) -> None:
        image = await claim_image(self.images, command.image_id, owner=actor.require_user())
        image.is_favourite = command.is_favourite
        await self.uow.commit()
