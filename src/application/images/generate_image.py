import secrets
from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.credits.ports import CreditAccounts
from application.events import ViewSubmittable
from application.images.ports import ImageRepository
from application.images.wanted_try_on import TryOnRequest, TryOnRequests
from application.ports import IdempotencyKeys, IdempotentRequest, Outbox, UnitOfWork
from domain.images import GeneratedImage
from domain.reuse import borrow
from domain.uploads import upload_key_in
from domain.views import RenderPolicy, wanted_views


class GenerateImage(TryOnRequest, frozen=True):
    pass


class ImageAccepted(Struct, frozen=True):
    image_id: int
    credits_held: int
    message: str = "Accepted: the pictures are on their way."


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateImageHandler:
    """Accept a try-on: reserve its price and queue what can be rendered at once, in one transaction.

    Views that are reused are there with the same transaction, and cost nothing.
    """

    requests: TryOnRequests
    images: ImageRepository
    accounts: CreditAccounts
    idempotency: IdempotencyKeys
    outbox: Outbox
    uow: UnitOfWork
    policy: RenderPolicy

    async def __call__(self, command: GenerateImage, actor: Actor, key: str | None = None) -> ImageAccepted:
        owner = actor.require_user()
        request = IdempotentRequest.of(
            owner,
            "generate",
            key,
            command.style_id,
            upload_key_in(command.image_input_url),
            wanted_views(command.views),
            command.reuse,
        )
        if kept := await self.idempotency.replay(request, ImageAccepted):
            return kept
        wanted = await self.requests.check(command, owner=owner)
        now = await self.uow.now()
        image = GeneratedImage.request(
            owner=owner,
            style=wanted.style,
            upload_id=wanted.photo.id,
            views=wanted.views,
            folder=secrets.token_urlsafe(24),
            now=now,
            policy=self.policy,
        )
        borrow(image, wanted.lent, now)
        await self.images.add(image)
        to_render = [view for view in image.views if view.open]
        if to_render:
            await self.accounts.hold(owner, to_render)
        for view in image.startable(to_render):
            self.outbox.add(ViewSubmittable(view.id))
        accepted = ImageAccepted(image.id, credits_held=wanted.price)
        await self.idempotency.keep(request, accepted)
        await self.uow.commit()
        return accepted
