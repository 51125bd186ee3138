"""The shipped catalogue, as the importer reads it."""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from application.styles.ports import CatalogueEntry
from domain.styles import Category
from infrastructure.catalogue import TomlCatalogue

FILE = Path(__file__).parents[3] / "catalogue" / "styles.toml"
CONTENT = tomllib.loads(FILE.read_text("utf-8"))
ENTRIES = TomlCatalogue().read(str(FILE))
VIEW_LINES = {"front": "View: front", "right": "View: right side", "left": "View: left side", "back": "View: back"}

each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.slug)


def prompt(entry: CatalogueEntry, view: str) -> str:
    text = getattr(entry, view)
    assert isinstance(text, str)
    return text


def test_customers_have_a_choice_in_both_categories() -> None:
    """There are at least 28 styles, 8 of them celebrity, and both categories are used."""
    counts = Counter(entry.category for entry in ENTRIES)
    assert set(counts) == set(Category)
    assert len(ENTRIES) >= 28
    assert counts[Category.CELEBRITY] >= 8


def test_a_style_can_be_told_from_all_others() -> None:
    """Slugs are kebab-case, and slugs, names and looks are unique."""
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.slug) for entry in ENTRIES)
    for field in ("slug", "name", "look", "thumbnail"):
        assert len({style[field] for style in CONTENT["style"]}) == len(ENTRIES), field


@each_entry
def test_a_description_is_a_sentence_or_two(entry: CatalogueEntry) -> None:
    """Customers read between 30 and 160 characters that end with a full stop."""
    assert 30 <= len(entry.description) <= 160
    assert entry.description.endswith(".")


@each_entry
def test_a_prompt_names_its_hairstyle_and_view(entry: CatalogueEntry) -> None:
    """The first two lines of every prompt are its labels."""
    for view, line in VIEW_LINES.items():
        assert prompt(entry, view).splitlines()[:2] == [f'Hairstyle: "{entry.name}"', line]


@each_entry
def test_a_prompt_keeps_person_and_scene(entry: CatalogueEntry) -> None:
    """Every prompt preserves the scene and the person; those that show the face preserve it in full."""
    for view in VIEW_LINES:
        text = prompt(entry, view)
        assert CONTENT["prompts"]["keep"] in text
        assert CONTENT["prompts"]["finish"] in text
        assert "the same person" in text
        assert (CONTENT["prompts"]["identity"] in text) == (view != "back")


@each_entry
def test_a_prompt_is_complete(entry: CatalogueEntry) -> None:
    """No placeholder is left, and no line break or space is where none belongs."""
    for view in VIEW_LINES:
        text = prompt(entry, view)
        assert not re.search(r"[{}]| {2}| \n|\n{3}", text)
        assert len(text) < 4000


@each_entry
def test_a_prompt_says_what_becomes_of_the_colour(entry: CatalogueEntry) -> None:
    """A look either keeps the person's hair colour or says which one it gets."""
    own, changed = "own hair colour is kept" in entry.front, re.search(r"hair is (coloured|bleached)", entry.front)
    assert own != bool(changed)
