from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.ports import EVERYTHING, GalleryFilter, ImageItem, ImageReader
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of


class ListImages(Struct, frozen=True):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    only: GalleryFilter = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class ListImagesHandler:
    """The customer's gallery, or a part of it, newest first."""

    images: ImageReader

    async def __call__(self, query: ListImages, actor: Actor) -> Page[ImageItem]:
        owner = actor.require_user()
        before = id_in(query.cursor)
        items = await self.images.gallery(owner, before=before, limit=query.limit + 1, only=query.only)
        return page_of(items, query.limit)
