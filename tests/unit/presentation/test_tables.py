"""Operators' tables, on terminals of any width and in pipes."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from presentation.cli.tables import for_programs, show_on_terminal

COLUMNS = ["id", "email", "reason", "operator", "when"]
ADDRESS = "somebody.with.a.long.address@example.com"
LONG = "the render was lost while the provider was away, and the customer wrote to us about it twice that day"
ROWS = [
    ["2", ADDRESS, LONG, "", "2026-05-03 09:00:00Z"],
    ["1", "ada@example.com", "", "grace", "2026-05-03 08:00:00Z"],
]


def on_a_terminal(width: int, rows: list[list[str]] = ROWS) -> str:
    screen = io.StringIO()
    show_on_terminal(Console(file=screen, width=width, color_system=None), COLUMNS, as_text(rows))
    return screen.getvalue()


def as_text(rows: list[list[str]]) -> list[list[Text]]:
    return [[*map(Text, row)] for row in rows]


@pytest.mark.parametrize("width", [30, 60, 80, 120, 200])
def test_no_word_is_cut_in_pieces(width: int) -> None:
    """Nor is a line wider than the terminal, nor an address unless it is."""
    shown = on_a_terminal(width)
    assert max(map(len, shown.splitlines())) <= width
    words = {word for row in ROWS for cell in row for word in cell.split()}
    assert {word for word in words if word not in shown} == ({ADDRESS} if width < len(ADDRESS) else set())


def test_a_list_that_does_not_fit_is_shown_row_by_row() -> None:
    """Each line with the name of its column, and what is empty left out."""
    assert on_a_terminal(120).splitlines()[0].split() == COLUMNS
    narrow = on_a_terminal(60)
    assert narrow.splitlines()[0].split() == ["id", "2"]
    assert narrow.index("example.com") < narrow.index("grace")
    assert narrow.count("operator") == 1


def test_a_pipe_has_each_row_on_a_line_of_its_own() -> None:
    """However long, without a frame or space at its end."""
    header, first, second = for_programs(COLUMNS, as_text(ROWS)).splitlines()
    assert header.split() == COLUMNS
    assert LONG in first
    assert second.split() == ["1", "ada@example.com", "grace", "2026-05-03", "08:00:00Z"]
    assert second == second.rstrip()
