"""Reads a catalogue file: styles.toml, with its thumbnails in a folder beside it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from application.styles.ports import Catalogue, CatalogueEntry
from domain.errors import Invalid
from domain.styles import Category
from domain.views import View

_HERE = Path(__file__).resolve()
_SHIPPED = (_HERE.parents[2] / "catalogue" / "styles.toml", _HERE.parents[1] / "catalogue" / "styles.toml")
"""In a checkout, and in an installed wheel."""


class _Style(Struct, frozen=True, forbid_unknown_fields=True):
    slug: str
    name: str
    description: str
    category: Category
    thumbnail: str
    look: str
    side_look: str
    back_look: str

    def words(self) -> Mapping[str, str]:
        return {"name": self.name, "look": self.look, "side_look": self.side_look, "back_look": self.back_look}


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    prompts: dict[str, str]
    style: list[_Style]


class TomlCatalogue(Catalogue):
    def read(self, path: str | None) -> list[CatalogueEntry]:
        file = Path(path) if path else next((shipped for shipped in _SHIPPED if shipped.exists()), _SHIPPED[0])
        try:
            content = msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File)
            entries = [_entry(style, content.prompts, file.parent / "thumbnails") for style in content.style]
        except KeyError as missing:
            raise Invalid("validation_failed", f"The catalogue {file} has no words for {missing}.") from missing
        except (OSError, ValueError, IndexError, AttributeError, msgspec.ValidationError) as fault:
            raise Invalid("validation_failed", f"The catalogue {file} cannot be read: {fault}") from fault
        slugs = [entry.slug for entry in entries]
        repeated = sorted({slug for slug in slugs if slugs.count(slug) > 1})
        if repeated:
            raise Invalid("validation_failed", f"The catalogue {file} names twice: {', '.join(repeated)}")
        return entries


def _entry(style: _Style, prompts: Mapping[str, str], thumbnails: Path) -> CatalogueEntry:
    words = {**prompts, **style.words()}
    return CatalogueEntry(
        slug=style.slug,
        name=style.name,
        description=style.description,
        category=style.category,
        front=compose(prompts[View.FRONT], words),
        right=compose(prompts[View.RIGHT], words),
        left=compose(prompts[View.LEFT], words),
        back=compose(prompts[View.BACK], words),
        thumbnail=(thumbnails / style.thumbnail).read_bytes(),
    )


def compose(template: str, words: Mapping[str, str]) -> str:
    """Fill a template's placeholders with a style's words.

    Raises `KeyError` where it names a word there is not, `ValueError`, `IndexError` or `AttributeError` where a
    placeholder is none.
    """
    return template.format_map(words).strip()
