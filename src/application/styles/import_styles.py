from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog
from application.images.ports import PictureStorage
from application.ports import UnitOfWork
from application.styles.ports import Catalogue, CatalogueEntry, StyleRepository
from application.styles.thumbnails import store_thumbnail
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

    Styles that the file does not name stay as they are, and what operators activated or deactivated stays so. Importing
    the same file again changes nothing.
    """

    catalogue: Catalogue
    styles: StyleRepository
    storage: PictureStorage
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: ImportStyles, actor: Actor) -> ImportedStyles:
        operator = actor.require_operator()
        entries = self.catalogue.read(command.path)
        thumbnails = {
            entry.slug: await store_thumbnail(self.storage, entry.slug, entry.thumbnail)
            for entry in entries
            if entry.thumbnail is not None
        }
        added, changed = [], []
        for position, entry in enumerate(entries, start=1):
            thumbnail = thumbnails.get(entry.slug, "")
            style = await self.styles.claim(entry.slug)
            if style is None:
                await self.styles.add(_new(entry, position, thumbnail))
                added.append(entry.slug)
            elif _update(style, entry, position, thumbnail):
                changed.append(entry.slug)
        if added or changed:
            details = {"added": len(added), "changed": len(changed)}
            await self.audit.note(operator, "style.import", "styles", details=details)
        await self.uow.commit()
        return ImportedStyles(added, changed, unchanged=len(entries) - len(added) - len(changed))


def _new(entry: CatalogueEntry, position: int, thumbnail: str) -> Style:
    style = Style(
        slug=entry.slug,
        name=entry.name,
        description=entry.description,
        category=entry.category,
        thumbnail=thumbnail,
        position=position,
        is_active=entry.is_active and bool(thumbnail),
    )
    style.edit_prompts(entry.front, entry.right, entry.left, entry.back)
    return style


def _update(style: Style, entry: CatalogueEntry, position: int, thumbnail: str) -> bool:
    """Tells whether anything differed. A style without a picture in the file keeps the one that it has."""
    shown = (entry.name, entry.description, entry.category, thumbnail or style.thumbnail, position)
    differs = shown != (style.name, style.description, style.category, style.thumbnail, style.position)
    style.name, style.description, style.category, style.thumbnail, style.position = shown
    return style.edit_prompts(entry.front, entry.right, entry.left, entry.back) or differs
