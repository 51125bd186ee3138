"""Reads and writes a catalogue file: styles.toml, with its thumbnails in a folder beside it."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from application.styles.ports import Catalogue, CatalogueEntry
from application.styles.thumbnails import thumbnail_name
from domain.errors import Invalid
from domain.styles import Category
from domain.views import View

_HERE = Path(__file__).resolve()
_SHIPPED = (_HERE.parents[2] / "catalogue" / "styles.toml", _HERE.parents[1] / "catalogue" / "styles.toml")
"""In a checkout, and in an installed wheel."""
_THUMBNAILS = "thumbnails"
_HEAD = """\
# A catalogue that `hairtryon style export` wrote and `hairtryon style import` reads.
# Each style brings prompts of its own: there are no templates.

[prompts]
"""


class _Prompts(Struct, frozen=True, forbid_unknown_fields=True):
    front: str
    right: str
    left: str
    back: str


class _Style(Struct, frozen=True, forbid_unknown_fields=True):
    """A style has either words for the templates or prompts of its own."""

    slug: str
    name: str
    description: str
    category: Category
    thumbnail: str | None = None
    look: str | None = None
    side_look: str | None = None
    back_look: str | None = None
    prompts: _Prompts | None = None
    active: bool = True

    def prompts_by(self, templates: Mapping[str, str]) -> _Prompts:
        words = {"look": self.look, "side_look": self.side_look, "back_look": self.back_look}
        given = {name: text for name, text in words.items() if text is not None}
        if self.prompts is not None:
            if given:
                raise ValueError(f"{self.slug} has prompts of its own, which take no {', '.join(given)}")
            return _Prompts(*(text.strip() for text in astuple(self.prompts)))
        if missing := words.keys() - given.keys():
            raise ValueError(f"{self.slug} has no {', '.join(sorted(missing))}")
        fillings = {**templates, "name": self.name, **given}
        return _Prompts(*(compose(templates[view], fillings) for view in View))


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    prompts: dict[str, str]
    style: list[_Style]


class TomlCatalogue(Catalogue):
    def read(self, path: str | None) -> list[CatalogueEntry]:
        file = Path(path) if path else next((shipped for shipped in _SHIPPED if shipped.exists()), _SHIPPED[0])
        try:
            content = msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File)
            entries = [_entry(style, content.prompts, file.parent / _THUMBNAILS) for style in content.style]
        except KeyError as missing:
            raise Invalid("validation_failed", f"The catalogue {file} has no words for {missing}.") from missing
        except (OSError, ValueError, IndexError, AttributeError, msgspec.ValidationError) as fault:
            raise Invalid("validation_failed", f"The catalogue {file} cannot be read: {fault}") from fault
        slugs = [entry.slug for entry in entries]
        repeated = sorted({slug for slug in slugs if slugs.count(slug) > 1})
        if repeated:
            raise Invalid("validation_failed", f"The catalogue {file} names twice: {', '.join(repeated)}")
        return entries

    def write(self, path: str, entries: Sequence[CatalogueEntry]) -> None:
        file = Path(path)
        try:
            for entry in entries:
                if entry.thumbnail is not None:
                    thumbnail = file.parent / _THUMBNAILS / thumbnail_name(entry.slug, entry.thumbnail)
                    thumbnail.parent.mkdir(parents=True, exist_ok=True)
                    thumbnail.write_bytes(entry.thumbnail)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join([_HEAD, *(_table(entry) for entry in entries)]), "utf-8")
        except OSError as fault:
            raise Invalid("validation_failed", f"The catalogue {file} cannot be written: {fault}") from fault


def _entry(style: _Style, templates: Mapping[str, str], thumbnails: Path) -> CatalogueEntry:
    prompts = style.prompts_by(templates)
    return CatalogueEntry(
        slug=style.slug,
        name=style.name,
        description=style.description,
        category=style.category,
        front=prompts.front,
        right=prompts.right,
        left=prompts.left,
        back=prompts.back,
        thumbnail=(thumbnails / style.thumbnail).read_bytes() if style.thumbnail else None,
        is_active=style.active,
    )


def _table(entry: CatalogueEntry) -> str:
    """A style as TOML."""
    shown = {"slug": entry.slug, "name": entry.name, "category": entry.category, "description": entry.description}
    lines = ["[[style]]", *(f"{name} = {toml_string(value)}" for name, value in shown.items())]
    if entry.thumbnail is not None:
        lines.append(f"thumbnail = {toml_string(thumbnail_name(entry.slug, entry.thumbnail))}")
    if not entry.is_active:
        lines.append("active = false")
    lines.append("[style.prompts]")
    lines += [f"{view} = {toml_string(getattr(entry, view))}" for view in View]
    return "\n".join([*lines, ""])


def toml_string(text: str) -> str:
    """As TOML 1.0 writes it: a basic string, over several lines where the text has several."""
    if "\n" not in text:
        return f'"{_escaped(text)}"'
    return '"""\n' + "\n".join(_escaped(line) for line in text.split("\n")) + '"""'


def _escaped(line: str) -> str:
    return "".join(_escape(character) for character in line)


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    is_control = character < " " or character == "\x7f"
    return f"\\u{ord(character):04x}" if is_control and character != "\t" else character


def compose(template: str, words: Mapping[str, str]) -> str:
    """Fill a template's placeholders with a style's words.

    Raises `KeyError` where it names a word there is not, `ValueError`, `IndexError` or `AttributeError` where a
    placeholder is none.
    """
    return template.format_map(words).strip()
