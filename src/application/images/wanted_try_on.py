"""A try-on that a customer wants, checked: what asking for it and asking for its price have in common."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from application.images.materials import Loan, TryOnMaterials
from domain.credits import VIEW_PRICE
from domain.errors import NotFound, Unprocessable
from domain.identifiers import LARGEST_ID
from domain.uploads import upload_key_in
from domain.views import Output, View, wanted_views


class GenerateImage(Struct, frozen=True, forbid_unknown_fields=True):
    style_id: Annotated[int, Meta(ge=1, le=LARGEST_ID)]
    image_input_url: Annotated[str, Meta(max_length=2048)]
    views: Annotated[tuple[View, ...], Meta(min_length=1, max_length=len(View))] = (View.FRONT,)
    reuse: bool = False
    """Show views that were rendered before of the same photo in the same hairstyle, at no cost."""


class WantedTryOn(Struct, frozen=True):
    style: tuple[int, int]
    """Its id and prompt version."""
    photo_id: int
    views: tuple[View, ...]
    loan: Loan | None
    asked_at: datetime

    @property
    def lent(self) -> dict[View, Output]:
        return self.loan.outputs if self.loan else {}

    @property
    def price(self) -> int:
        return VIEW_PRICE * (len(self.views) - len(self.lent))


@dataclass(frozen=True, slots=True, kw_only=True)
class TryOnRequests:
    """Checks requests. What is named by the outcome may be gone a moment later."""

    materials: TryOnMaterials

    async def check(self, request: GenerateImage, *, owner: int) -> WantedTryOn:
        """Raises `Invalid`, `NotFound` (`style_not_found`) or `Unprocessable` (`image_url_not_allowed`)."""
        views = wanted_views(request.views)
        photo_key = upload_key_in(request.image_input_url) or ""
        found = await self.materials.find(owner, style_id=request.style_id, photo_key=photo_key)
        if found.style_version is None:
            raise NotFound("style_not_found", "There is no such hairstyle.", field="style_id")
        if found.photo is None:
            detail = "This is not a photo that you uploaded here."
            raise Unprocessable("image_url_not_allowed", detail, field="image_input_url")
        style = (request.style_id, found.style_version)
        loan = None
        if request.reuse:
            loan = await self.materials.loan(owner, style=style, digest=found.photo.digest, views=views)
        return WantedTryOn(style, found.photo.id, views, loan, found.asked_at)
