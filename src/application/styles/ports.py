"""What the catalogue use cases need from outside."""

from typing import Protocol

from msgspec import Struct

from domain.styles import Category, Style


class StyleRepository(Protocol):
    async def by_slug(self, slug: str) -> Style | None: ...

    async def add(self, style: Style) -> None: ...


class StyleItem(Struct, frozen=True):
    id: int
    name: str
    description: str
    category: Category
    thumbnail_url: str


class StyleReader(Protocol):
    async def active(self, category: Category | None) -> list[StyleItem]:
        """All styles that customers may pick, in the catalogue's order."""
        ...


class CatalogueEntry(Struct, frozen=True):
    """One style of a catalogue file, its prompts composed."""

    slug: str
    name: str
    description: str
    category: Category
    front: str
    right: str
    left: str
    back: str
    thumbnail: bytes
    """The illustration, in whatever format the file came with."""


class Catalogue(Protocol):
    def read(self, path: str | None) -> list[CatalogueEntry]:
        """Entries in their order, from a file or, without one, from the catalogue that ships with the project.

        Raises `Invalid` with the place and the fault.
        """
        ...
