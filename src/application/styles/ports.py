"""What the catalogue use cases need from outside."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.styles import Category, Style


class StyleRepository(Protocol):
    async def claim(self, named: int | str) -> Style | None:
        """The style of an id or a slug, with all its prompts; kept to this transaction until it ends."""
        ...

    async def add(self, style: Style) -> None:
        """Add it and give it its id, or raise `Conflict` where its slug is taken."""
        ...

    async def last_position(self) -> int:
        """Of the last style in the catalogue; 0 when it is empty."""
        ...


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


class StyleEntry(Struct, frozen=True, kw_only=True):
    """A style as operators' lists show it."""

    id: int
    slug: str
    name: str
    description: str
    category: Category
    position: int
    is_active: bool
    prompt_version: int
    thumbnail_url: str | None


class PromptVersion(Struct, frozen=True):
    version: int
    front: str
    right: str
    left: str
    back: str


class StyleDetails(StyleEntry, frozen=True, kw_only=True):
    prompts: list[PromptVersion]
    """The newest first; a try-on keeps the version that it was accepted with."""


class StyleFilter(Struct, frozen=True):
    """Which styles to show; None is no condition."""

    category: Category | None = None
    is_active: bool | None = None


ALL_STYLES = StyleFilter()


class CataloguedStyle(Struct, frozen=True, kw_only=True):
    """A style with the prompts that count, and with its thumbnail's key, which is empty where it has none."""

    slug: str
    name: str
    description: str
    category: Category
    thumbnail: str
    is_active: bool
    front: str
    right: str
    left: str
    back: str


class StyleRecords(Protocol):
    """The catalogue for operators."""

    async def styles(self, *, after: int | None, limit: int, only: StyleFilter) -> list[StyleEntry]:
        """Styles that the filter lets through, in the catalogue's order, from where the one with this id stands."""
        ...

    async def style(self, named: int | str) -> StyleDetails | None:
        """The style of an id or a slug."""
        ...

    async def catalogue(self) -> list[CataloguedStyle]:
        """All styles, in the catalogue's order."""
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
    thumbnail: bytes | None
    """The illustration, in whatever format the file came with."""
    is_active: bool = True
    """Whether it is shown when it is added."""


class Catalogue(Protocol):
    def write(self, path: str, entries: Sequence[CatalogueEntry]) -> None:
        """Write a file that `read` reads as these very entries, its pictures beside it; raises `Invalid`."""
        ...

    def read(self, path: str | None) -> list[CatalogueEntry]:
        """Entries in their order, from a file or, without one, from the catalogue that ships with the project.

        Raises `Invalid` with the place and the fault.
        """
        ...
