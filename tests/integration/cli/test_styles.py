import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from presentation.cli.styles import style_commands
from tests.factories import photo
from tests.integration.cli.conftest import Terminal
from tests.servers import fetch

STYLE = """
[prompts]
front = "{name}, {look}"
right = "right"
left = "left"
back = "back"

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


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "thumbnails").mkdir()
    (tmp_path / "thumbnails" / "bob.png").write_bytes(b"a picture")
    file = tmp_path / "styles.toml"
    file.write_text(STYLE)
    return file


def test_the_shipped_catalogue_is_loaded_once(terminal: Terminal) -> None:
    """The second time there is nothing to add or change."""
    first = terminal.type(style_commands, "import", "--json")
    assert first.exit_code == 0
    added = json.loads(first.stdout)["added"]
    assert len(added) >= 24
    second = terminal.type(style_commands, "import", "--json")
    assert json.loads(second.stdout) == {"added": [], "changed": [], "unchanged": len(added)}
    pictures = list((terminal.folder / "media" / "styles").iterdir())
    assert len(pictures) == len(added)


def test_a_file_of_ones_own_is_loaded_and_its_changes_are_told(terminal: Terminal, file: Path) -> None:
    """As a table for people: what was added, what was changed, how many stayed."""
    first = terminal.type(style_commands, "import", str(file))
    assert first.exit_code == 0
    assert "added" in first.stdout
    assert "bob" in first.stdout
    file.write_text(STYLE.replace("A bob.", "A longer bob."))
    second = terminal.type(style_commands, "import", str(file))
    assert "changed" in second.stdout
    terminal.execute("DO $$ BEGIN ASSERT (SELECT prompt_version = 2 FROM styles); END $$")


@pytest.mark.parametrize(
    ("content", "told"),
    [("nonsense", "styles.toml cannot be read"), (STYLE.replace("{look}", "{cut}"), "has no words for 'cut'")],
)
def test_a_file_that_cannot_be_read_is_told_in_a_line(terminal: Terminal, file: Path, content: str, told: str) -> None:
    """With exit code 2, and nothing loaded."""
    file.write_text(content)
    refused = terminal.type(style_commands, "import", str(file))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert told in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    terminal.execute("DO $$ BEGIN ASSERT (SELECT count(*) = 0 FROM styles); END $$")


def test_a_file_that_is_not_there_is_told(terminal: Terminal, tmp_path: Path) -> None:
    refused = terminal.type(style_commands, "import", str(tmp_path / "missing.toml"))
    assert refused.exit_code == 2
    assert "missing.toml" in refused.stderr


WOLF = (
    *("add", "wolf-cut", "--name", "Wolf Cut", "--description", "Shaggy.", "--category", "standard", "--json"),
    *("--front", "front", "--right", "right", "--left", "left", "--back", "back"),
)


def shown(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_style_is_added_edited_and_activated(terminal: Terminal) -> None:
    """Its prompts by hand or from files, its picture from a file; other words make another version."""
    added = shown(terminal.type(style_commands, *WOLF))
    assert (added["is_active"], added["prompt_version"], added["thumbnail_url"]) == (False, 1, None)
    assert terminal.type(style_commands, "activate", "wolf-cut").exit_code == 4
    (terminal.folder / "front.txt").write_text("From\na file.\n")
    (terminal.folder / "wolf.jpg").write_bytes(photo(600, 400))
    words = ("--front", f"@{terminal.folder / 'front.txt'}", "--thumbnail", str(terminal.folder / "wolf.jpg"))
    edited = shown(terminal.type(style_commands, "edit", "wolf-cut", *words, "--json"))
    assert [(version["version"], version["front"]) for version in edited["prompts"]] == [
        (2, "From\na file."),
        (1, "front"),
    ]
    assert edited["thumbnail_url"].startswith("https://api.example.com/media/styles/wolf-cut-")
    assert shown(terminal.type(style_commands, "activate", "1", "--json"))["is_active"]
    assert not shown(terminal.type(style_commands, "deactivate", "1", "--json"))["is_active"]
    rows = fetch(terminal.database_url, "SELECT action FROM audit_entries ORDER BY id")
    assert [row["action"] for row in rows] == ["style.add", "style.edit", "style.activate", "style.deactivate"]


def test_people_see_the_catalogue_and_every_version_of_a_prompt(terminal: Terminal, file: Path) -> None:
    terminal.type(style_commands, "import", str(file))
    assert "bob" in terminal.type(style_commands, "list").stdout
    assert "bob" not in terminal.type(style_commands, "list", "--inactive").stdout
    terminal.type(style_commands, "edit", "bob", "--front", "Other words.")
    told = terminal.type(style_commands, "show", "bob").stdout
    for word in ("front, version 1", "Bob, A bob.", "front, version 2", "Other words."):
        assert word in told


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        ((*WOLF[:1], "Wolf Cut", *WOLF[2:]), 2),
        ((*WOLF, "--front", "@missing.txt"), 2),
        ((*WOLF, "--category", "famous"), 2),
        (("edit", "bob"), 2),
        (("edit", "lob", "--name", "Lob"), 3),
        (("show", "lob"), 3),
        (("add", "bob", *WOLF[2:]), 4),
        (("activate", "bob"), 4),
    ],
)
def test_what_cannot_be_done_to_a_style_is_told(
    terminal: Terminal, file: Path, words: tuple[str, ...], exit_code: int
) -> None:
    terminal.type(style_commands, "import", str(file))
    refused = terminal.type(style_commands, *words)
    assert (refused.exit_code, refused.stdout) == (exit_code, "")
    assert len(fetch(terminal.database_url, "SELECT 1 FROM styles")) == 1


def test_a_picture_that_is_none_is_told(terminal: Terminal, file: Path) -> None:
    refused = terminal.type(style_commands, *WOLF, "--thumbnail", str(file))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "image_unreadable" in refused.stderr


def test_the_catalogue_goes_into_a_file_and_back(terminal: Terminal) -> None:
    """With what operators changed since it was imported; into an empty database, it makes the same catalogue."""
    terminal.type(style_commands, "import")
    (terminal.folder / "wolf.jpg").write_bytes(photo(600, 400))
    terminal.type(style_commands, *WOLF, "--thumbnail", str(terminal.folder / "wolf.jpg"))
    terminal.type(style_commands, "edit", "long-bob", "--front", 'A "bob",\n\nand more.')
    terminal.type(style_commands, "deactivate", "long-bob")
    backup = terminal.folder / "backup" / "styles.toml"
    exported = shown(terminal.type(style_commands, "export", str(backup), "--json"))
    whole = (
        'SELECT slug, name, description, category, thumbnail, position, is_active, front, "right", "left", back '
        "FROM styles JOIN style_prompts ON style_id = id AND version = prompt_version ORDER BY position"
    )
    before = fetch(terminal.database_url, whole)
    assert exported == {"file": str(backup), "styles": len(before)}
    again = shown(terminal.type(style_commands, "import", str(backup), "--json"))
    assert again == {"added": [], "changed": [], "unchanged": len(before)}
    terminal.execute("TRUNCATE styles, style_prompts RESTART IDENTITY CASCADE")
    assert len(shown(terminal.type(style_commands, "import", str(backup), "--json"))["added"]) == len(before)
    assert fetch(terminal.database_url, whole) == before


def test_a_file_is_overwritten_when_the_operator_says_yes(terminal: Terminal, file: Path) -> None:
    terminal.type(style_commands, "import", str(file))
    refused = terminal.type(style_commands, "export", str(file), typed="n\n")
    assert (refused.exit_code, file.read_text()) == (1, STYLE)
    assert terminal.type(style_commands, "export", str(file), "--yes").exit_code == 0
    assert file.read_text() != STYLE
