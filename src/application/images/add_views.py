from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.images.acceptances import ImageAccepted
from application.images.own_image import claim_image
from application.images.ports import ImageRepository
from application.images.settlement import Settlement
from application.ports import IdempotencyKeys, IdempotentRequest, UnitOfWork
from domain.credits import VIEW_PRICE
from domain.views import RenderPolicy, View, side_views


class AddViews(Struct, frozen=True, forbid_unknown_fields=True):
    views: Annotated[tuple[View, ...], Meta(min_length=1, max_length=len(View))]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddViewsHandler:
    """Accept side views of a try-on whose front is there: reserve their price and queue them, in one transaction."""

    images: ImageRepository
    settlement: Settlement
    idempotency: IdempotencyKeys
    uow: UnitOfWork
    policy: RenderPolicy

    async def __call__(
        self, command: AddViews, actor: Actor, *, image_id: int, key: str | None = None
    ) -> ImageAccepted:
        owner = actor.require_user()
        views = side_views(command.views)
        request = IdempotentRequest.of(owner, "views", key, image_id, views)
        if kept := await self.idempotency.replay(request, ImageAccepted):
            return kept
        image = await claim_image(self.images, image_id, owner=owner)
        added = image.add_views(views, await self.uow.now(), self.policy)
        await self.uow.flush()
        await self.settlement.begin(image, added)
        accepted = ImageAccepted(image.id, credits_held=VIEW_PRICE * len(added))
        await self.idempotency.keep(request, accepted)
        await self.uow.commit()
        return accepted
