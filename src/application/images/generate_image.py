import secrets
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.credits.ports import CreditAccounts
from application.events import ViewSubmittable
from application.images.ports import ImageRepository, UploadRepository
from application.ports import IdempotencyKeys, IdempotentRequest, Outbox, UnitOfWork
from application.styles.ports import StyleRepository
from domain.errors import NotFound, Unprocessable
from domain.identifiers import LARGEST_ID
from domain.images import GeneratedImage
from domain.uploads import Upload, upload_key_in
from domain.views import RenderPolicy, View, wanted_views


class GenerateImage(Struct, frozen=True, forbid_unknown_fields=True):
    style_id: Annotated[int, Meta(ge=1, le=LARGEST_ID)]
    image_input_url: Annotated[str, Meta(max_length=2048)]
    views: Annotated[tuple[View, ...], Meta(min_length=1, max_length=len(View))] = (View.FRONT,)


class ImageAccepted(Struct, frozen=True):
    image_id: int
    credits_held: int
    message: str = "Accepted: the pictures are on their way."


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateImageHandler:
    """Accept a try-on: reserve its price and queue its front view, in one transaction."""

    styles: StyleRepository
    uploads: UploadRepository
    images: ImageRepository
    accounts: CreditAccounts
    idempotency: IdempotencyKeys
    outbox: Outbox
    uow: UnitOfWork
    policy: RenderPolicy

    async def __call__(self, command: GenerateImage, actor: Actor, key: str | None = None) -> ImageAccepted:
        owner = actor.require_user()
        views = wanted_views(command.views)
        photo_key = upload_key_in(command.image_input_url)
        request = IdempotentRequest.of(owner, "generate", key, command.style_id, photo_key, views)
        if kept := await self.idempotency.replay(request, ImageAccepted):
            return kept
        style = await self.styles.active(command.style_id)
        if style is None:
            raise NotFound("style_not_found", "There is no such hairstyle.", field="style_id")
        photo = await self._photo(photo_key, owner)
        image = GeneratedImage.request(
            owner=owner,
            style=style,
            upload_id=photo.id,
            views=views,
            folder=secrets.token_urlsafe(24),
            now=await self.uow.now(),
            policy=self.policy,
        )
        await self.images.add(image)
        await self.accounts.hold(owner, image.views)
        self.outbox.add(ViewSubmittable(image.front.id))
        accepted = ImageAccepted(image.id, credits_held=image.price)
        await self.idempotency.keep(request, accepted)
        await self.uow.commit()
        return accepted

    async def _photo(self, key: str | None, owner: int) -> Upload:
        photo = await self.uploads.by_key(key, owner=owner) if key else None
        if photo is None:
            raise Unprocessable(
                "image_url_not_allowed", "This is not a photo that you uploaded here.", field="image_input_url"
            )
        return photo
