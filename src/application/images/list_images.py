from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.ports import EVERYTHING, GalleryFilter, ImageItem, ImageReader
from application.pages import DEFAULT_LIMIT, Page, cursor_after, id_in


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
        more = len(items) > query.limit
        return Page(items[: query.limit], cursor_after(items[query.limit - 1].id) if more else None)
