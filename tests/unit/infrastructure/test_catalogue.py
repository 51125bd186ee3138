"""How a catalogue file is read. What the shipped one says is checked in `tests/unit/catalogue`."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.styles.ports import CatalogueEntry
from domain.errors import Invalid
from domain.styles import Category
from infrastructure.catalogue import TomlCatalogue, toml_string

PROMPTS = """
[prompts]
keep = "Keep the rest."
front = "{name}, front: {look} {keep}"
right = "{name}, right: {side_look} {keep}"
left = "{name}, left: {side_look} {keep}"
back = "{name}, back: {back_look} {{as is}}"
"""
BOB = """
[[style]]
slug = "bob"
name = "Bob"
description = "To the jaw."
category = "standard"
thumbnail = "bob.png"
look = "A bob."
side_look = "Straight."
back_look = "Even."
"""


def write(folder: Path, content: str, *, thumbnail: bytes | None = b"a picture") -> str:
    if thumbnail is not None:
        (folder / "thumbnails").mkdir()
        (folder / "thumbnails" / "bob.png").write_bytes(thumbnail)
    file = folder / "styles.toml"
    file.write_text(content, "utf-8", errors="surrogateescape")
    return str(file)


def test_prompts_are_composed_of_clauses_and_the_styles_own_words(tmp_path: Path) -> None:
    (bob,) = TomlCatalogue().read(write(tmp_path, PROMPTS + BOB))
    assert (bob.slug, bob.name, bob.description, bob.category) == ("bob", "Bob", "To the jaw.", Category.STANDARD)
    assert bob.front == "Bob, front: A bob. Keep the rest."
    assert bob.right == "Bob, right: Straight. Keep the rest."
    assert bob.left == "Bob, left: Straight. Keep the rest."
    assert bob.back == "Bob, back: Even. {as is}"
    assert bob.thumbnail == b"a picture"


def test_words_are_filled_in_once(tmp_path: Path) -> None:
    """What a style says is never taken for a placeholder."""
    (bob,) = TomlCatalogue().read(write(tmp_path, PROMPTS + BOB.replace("A bob.", "A {name} and {0}.")))
    assert bob.front == "Bob, front: A {name} and {0}. Keep the rest."


def test_styles_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    second = BOB.replace('"bob"', '"afro"')
    assert [entry.slug for entry in TomlCatalogue().read(write(tmp_path, PROMPTS + BOB + second))] == ["bob", "afro"]


def test_without_a_path_the_shipped_catalogue_is_read() -> None:
    assert len(TomlCatalogue().read(None)) >= 24


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "prompts"),
        ("not toml", "styles.toml"),
        ("[prompts]\nfront = 3", "prompts"),
        (PROMPTS + BOB.replace('look = "A bob."\n', "", 1), "look"),
        (PROMPTS + BOB.replace("standard", "famous"), "famous"),
        (PROMPTS + BOB + "prompt = 'unknown field'", "prompt"),
        (PROMPTS + BOB.replace("bob.png", "lob.png"), "lob.png"),
        (PROMPTS.replace("back =", "behind =") + BOB, "back"),
        (PROMPTS.replace("{look}", "{haircut}") + BOB, "haircut"),
        (PROMPTS.replace("{look}", "{") + BOB, "styles.toml"),
        (PROMPTS.replace("{look}", "}") + BOB, "styles.toml"),
        (PROMPTS.replace("{look}", "{}") + BOB, "styles.toml"),
        (PROMPTS.replace("{look}", "{0}") + BOB, "styles.toml"),
        (PROMPTS.replace("{look}", "{look.size}") + BOB, "size"),
        (PROMPTS.replace("{look}", "{look[0][9]}") + BOB, "styles.toml"),
        (PROMPTS.replace("{look}", "{look:9z}") + BOB, "styles.toml"),
        (PROMPTS + BOB + BOB, "bob"),
        ("\udcff\udcfe", "styles.toml"),
    ],
)
def test_a_fault_is_told_with_the_file_and_the_place(tmp_path: Path, content: str, told: str) -> None:
    """Not as a stack trace."""
    with pytest.raises(Invalid) as refusal:
        TomlCatalogue().read(write(tmp_path, content))
    assert "styles.toml" in refusal.value.detail
    assert told in refusal.value.detail


@pytest.mark.parametrize("path", ["missing.toml", ".", "a\0b"])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        TomlCatalogue().read(str(tmp_path / path))
    assert str(tmp_path) in refusal.value.detail


def test_a_picture_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        TomlCatalogue().read(write(tmp_path, PROMPTS + BOB, thumbnail=None))
    assert "bob.png" in refusal.value.detail


ENTRIES = [
    CatalogueEntry(
        "bob", 'The "Bob"', "To\\the jaw.", Category.STANDARD, "a\nb", "c", "d {as is}", "e\tf", b"a picture"
    ),
    CatalogueEntry("afro", "Afro", "Round.", Category.CELEBRITY, "é", "\x7f", '"""', "\\u0041", None, is_active=False),
    CatalogueEntry("lob", "Lob", "Longer.", Category.STANDARD, "a", "b", "c", "d", b"\xff\xd8\xff a JPEG"),
]


def test_what_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    """Words to the letter, pictures byte by byte under the name of what they are, also a second time."""
    file = tmp_path / "backup" / "styles.toml"
    for _ in range(2):
        TomlCatalogue().write(str(file), ENTRIES)
        assert TomlCatalogue().read(str(file)) == ENTRIES
    assert sorted(path.name for path in (file.parent / "thumbnails").iterdir()) == ["bob.png", "lob.jpg"]


def test_the_shipped_catalogue_is_read_as_the_same_once_it_was_written(tmp_path: Path) -> None:
    shipped = TomlCatalogue().read(None)
    TomlCatalogue().write(str(tmp_path / "styles.toml"), shipped)
    assert TomlCatalogue().read(str(tmp_path / "styles.toml")) == shipped


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_can_be_written(text: str) -> None:
    assert tomllib.loads(f"text = {toml_string(text)}") == {"text": text}


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="cannot be written"):
        TomlCatalogue().write(str(tmp_path / "file" / "styles.toml"), ENTRIES)


PROMPTS_OF_ITS_OWN = """
[style.prompts]
front = "a"
right = "b"
left = "c"
back = "d"
"""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (PROMPTS + BOB + PROMPTS_OF_ITS_OWN, "takes? no look"),
        (PROMPTS + BOB.partition("look")[0] + PROMPTS_OF_ITS_OWN.replace('back = "d"', ""), "back"),
        (PROMPTS + BOB.partition("look")[0], "has no back_look, look, side_look"),
    ],
)
def test_a_style_has_words_for_the_templates_or_prompts_of_its_own(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        TomlCatalogue().read(write(tmp_path, content))
