import json
from pathlib import Path

import pytest

from presentation.cli.styles import styles
from tests.integration.cli.conftest import Terminal

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
    first = terminal.type(styles, "import", "--json")
    assert first.exit_code == 0
    added = json.loads(first.stdout)["added"]
    assert len(added) >= 24
    second = terminal.type(styles, "import", "--json")
    assert json.loads(second.stdout) == {"added": [], "changed": [], "unchanged": len(added)}
    pictures = list((terminal.folder / "media" / "styles").iterdir())
    assert len(pictures) == len(added)


def test_a_file_of_ones_own_is_loaded_and_its_changes_are_told(terminal: Terminal, file: Path) -> None:
    """As a table for people: what was added, what was changed, how many stayed."""
    first = terminal.type(styles, "import", str(file))
    assert first.exit_code == 0
    assert "added" in first.stdout
    assert "bob" in first.stdout
    file.write_text(STYLE.replace("A bob.", "A longer bob."))
    second = terminal.type(styles, "import", str(file))
    assert "changed" in second.stdout
    terminal.execute("DO $$ BEGIN ASSERT (SELECT prompt_version = 2 FROM styles); END $$")


@pytest.mark.parametrize(
    ("content", "told"),
    [("nonsense", "styles.toml cannot be read"), (STYLE.replace("{look}", "{cut}"), "has no words for 'cut'")],
)
def test_a_file_that_cannot_be_read_is_told_in_a_line(terminal: Terminal, file: Path, content: str, told: str) -> None:
    """With exit code 2, and nothing loaded."""
    file.write_text(content)
    refused = terminal.type(styles, "import", str(file))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert told in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    terminal.execute("DO $$ BEGIN ASSERT (SELECT count(*) = 0 FROM styles); END $$")


def test_a_file_that_is_not_there_is_told(terminal: Terminal, tmp_path: Path) -> None:
    refused = terminal.type(styles, "import", str(tmp_path / "missing.toml"))
    assert refused.exit_code == 2
    assert "missing.toml" in refused.stderr
