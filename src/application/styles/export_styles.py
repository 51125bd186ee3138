from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.images.ports import PictureStorage
from application.styles.ports import Catalogue, CataloguedStyle, CatalogueEntry, StyleRecords


class ExportStyles(Struct, frozen=True):
    path: str


class ExportedStyles(Struct, frozen=True):
    file: str
    styles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportStylesHandler:
    """Write the catalogue into a file that an import reads, with the prompts that count now."""

    records: StyleRecords
    storage: PictureStorage
    catalogue: Catalogue

    async def __call__(self, query: ExportStyles, actor: Actor) -> ExportedStyles:
        actor.require_operator()
        entries = [await self._entry(style) for style in await self.records.catalogue()]
        self.catalogue.write(query.path, entries)
        return ExportedStyles(query.path, len(entries))

    async def _entry(self, style: CataloguedStyle) -> CatalogueEntry:
        return CatalogueEntry(
            slug=style.slug,
            name=style.name,
            description=style.description,
            category=style.category,
            front=style.front,
            right=style.right,
            left=style.left,
            back=style.back,
            thumbnail=await self.storage.get(style.thumbnail) if style.thumbnail else None,
            is_active=style.is_active,
        )
