from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.image_records import ImageEntry, ImageFilter, ImageRecords
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of
from application.users.ports import UserFinder
from domain.views import Status


class ListAllImages(Struct, frozen=True):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    user: str | None = None
    """An address or an id."""
    style_id: int | None = None
    status: Status | None = None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAllImagesHandler:
    """Show an operator everybody's try-ons, or some of them, newest first."""

    users: UserFinder
    records: ImageRecords

    async def __call__(self, query: ListAllImages, actor: Actor) -> Page[ImageEntry]:
        actor.require_operator()
        user_id = await self.users.id_of(query.user) if query.user is not None else None
        only = ImageFilter(user_id, query.style_id, query.status, query.is_deleted)
        images = await self.records.images(before=id_in(query.cursor), limit=query.limit + 1, only=only)
        return page_of(images, query.limit)
