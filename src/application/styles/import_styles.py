from dataclasses import dataclass
from hashlib import sha256

from msgspec import Struct

from application.actor import Actor
from application.images.ports import PictureStorage
from application.ports import UnitOfWork
from application.styles.ports import Catalogue, CatalogueEntry, StyleRepository
from domain.styles import Style


class ImportStyles(Struct, frozen=True):
    path: str | None = None


class ImportedStyles(Struct, frozen=True):
    added: list[str]
    changed: list[str]
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStylesHandler:
    """Bring the catalogue in step with a file: add, change, and make a new prompt version where prompts differ.

    Styles that the file does not name stay as they are. Importing the same file again changes nothing.
    """

    catalogue: Catalogue
    styles: StyleRepository
    storage: PictureStorage
    uow: UnitOfWork

    async def __call__(self, command: ImportStyles, actor: Actor) -> ImportedStyles:
        actor.require_operator()
        entries = self.catalogue.read(command.path)
        for entry in entries:
            await self.storage.put(_thumbnail_key(entry), entry.thumbnail, content_type="image/png")
        added, changed = [], []
        for position, entry in enumerate(entries, start=1):
            style = await self.styles.by_slug(entry.slug)
            if style is None:
                style = _new(entry, position)
                style.edit_prompts(entry.front, entry.right, entry.left, entry.back)
                await self.styles.add(style)
                added.append(entry.slug)
            elif _update(style, entry, position):
                changed.append(entry.slug)
        await self.uow.commit()
        return ImportedStyles(added, changed, unchanged=len(entries) - len(added) - len(changed))


def _thumbnail_key(entry: CatalogueEntry) -> str:
    """A key that changes with the picture, so that caches never show an old one."""
    return f"styles/{entry.slug}-{sha256(entry.thumbnail).hexdigest()[:16]}.png"


def _new(entry: CatalogueEntry, position: int) -> Style:
    return Style(
        slug=entry.slug,
        name=entry.name,
        description=entry.description,
        category=entry.category,
        thumbnail=_thumbnail_key(entry),
        position=position,
    )


def _update(style: Style, entry: CatalogueEntry, position: int) -> bool:
    shown = (entry.name, entry.description, entry.category, _thumbnail_key(entry), position)
    differs = shown != (style.name, style.description, style.category, style.thumbnail, style.position)
    style.name, style.description, style.category, style.thumbnail, style.position = shown
    return style.edit_prompts(entry.front, entry.right, entry.left, entry.back) or differs
