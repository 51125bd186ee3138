"""A try-on that a customer wants, checked: what asking for it and asking for its price have in common."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.images.ports import ImageRepository
from application.images.upload_ports import UploadRepository
from application.styles.ports import StyleRepository
from domain.credits import VIEW_PRICE
from domain.errors import NotFound, Unprocessable
from domain.identifiers import LARGEST_ID
from domain.reuse import lent
from domain.uploads import Upload, upload_key_in
from domain.views import View, ViewRender, wanted_views


class TryOnRequest(Struct, frozen=True, forbid_unknown_fields=True):
    style_id: Annotated[int, Meta(ge=1, le=LARGEST_ID)]
    image_input_url: Annotated[str, Meta(max_length=2048)]
    views: Annotated[tuple[View, ...], Meta(min_length=1, max_length=len(View))] = (View.FRONT,)
    reuse: bool = False
    """Show views that were rendered before of the same photo in the same hairstyle, at no cost."""


class WantedTryOn(Struct, frozen=True):
    style: tuple[int, int]
    """Its id and prompt version."""
    photo: Upload
    views: tuple[View, ...]
    lent: dict[View, ViewRender]
    """Views that need not be rendered, as another try-on has them."""

    @property
    def price(self) -> int:
        return VIEW_PRICE * (len(self.views) - len(self.lent))


@dataclass(frozen=True, slots=True, kw_only=True)
class TryOnRequests:
    """Checks requests. What is named by the outcome stays as it is until the transaction ends."""

    styles: StyleRepository
    uploads: UploadRepository
    images: ImageRepository

    async def check(self, request: TryOnRequest, *, owner: int) -> WantedTryOn:
        """Raises `Invalid`, `NotFound` (`style_not_found`) or `Unprocessable` (`image_url_not_allowed`)."""
        views = wanted_views(request.views)
        style = await self.styles.active(request.style_id)
        if style is None:
            raise NotFound("style_not_found", "There is no such hairstyle.", field="style_id")
        photo = await self._photo(upload_key_in(request.image_input_url), owner)
        lender = await self.images.lender(owner, digest=photo.digest, style=style) if request.reuse else None
        return WantedTryOn(style, photo, views, lent(lender, views))

    async def _photo(self, key: str | None, owner: int) -> Upload:
        photo = await self.uploads.by_key(key, owner=owner) if key else None
        if photo is None:
            raise Unprocessable(
                "image_url_not_allowed", "This is not a photo that you uploaded here.", field="image_input_url"
            )
        return photo
