"""The pictures by which customers pick a style."""

from dataclasses import dataclass
from hashlib import sha256

from application.images.ports import PictureProcessor, PictureStorage
from domain.errors import TooLarge
from domain.styles import THUMBNAIL_SIDES
from domain.uploads import LARGEST_UPLOAD

_JPEG = b"\xff\xd8\xff"


async def store_thumbnail(storage: PictureStorage, slug: str, data: bytes) -> str:
    """Put it into storage, outside a transaction; returns its key.

    The key changes with the picture, so that caches never show an old one, and so that doing it again does no harm.
    The former picture stays, for the pages that still name it.
    """
    name = thumbnail_name(f"{slug}-{sha256(data).hexdigest()[:16]}", data)
    key = f"styles/{name}"
    await storage.put(key, data, content_type="image/jpeg" if name.endswith(".jpg") else "image/png")
    return key


def thumbnail_name(stem: str, data: bytes) -> str:
    """A file name that tells what the picture is: those that ship with the project are PNG, uploaded ones JPEG."""
    return f"{stem}.{'jpg' if data.startswith(_JPEG) else 'png'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewThumbnail:
    """Take a picture that an operator uploads: as little trusted as a customer's, and encoded anew."""

    pictures: PictureProcessor
    storage: PictureStorage

    async def store(self, slug: str, data: bytes) -> str:
        """Its key in storage; raises as `PictureProcessor`, `TooLarge`, or `Unavailable`. Outside a transaction."""
        if len(data) > LARGEST_UPLOAD:
            raise TooLarge("payload_too_large", "A picture has 10 MB at most.", field="file")
        smallest, largest = THUMBNAIL_SIDES
        picture = await self.pictures.square(data, side=largest, min_side=smallest)
        return await store_thumbnail(self.storage, slug, picture.data)
