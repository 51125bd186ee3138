from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from application.actor import Actor
from application.images.ports import PictureStorage
from application.images.upload_photo import UploadedPhoto
from application.images.upload_ports import UploadReader
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of


class ListUploads(Struct, frozen=True):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


class UploadItem(UploadedPhoto, frozen=True, kw_only=True):
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUploadsHandler:
    """The photos a customer has uploaded, to pick from again, each once, newest first."""

    uploads: UploadReader
    storage: PictureStorage

    async def __call__(self, query: ListUploads, actor: Actor) -> Page[UploadItem]:
        owner = actor.require_user()
        records = await self.uploads.distinct(owner, before=id_in(query.cursor), limit=query.limit + 1)
        page = page_of(records, query.limit)
        items = [
            UploadItem(
                await self.storage.url(record.key),
                record.width,
                record.height,
                record.size,
                created_at=record.created_at,
            )
            for record in page.items
        ]
        return Page(items, page.next_cursor)
