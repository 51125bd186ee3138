"""Tables, as they fit whoever reads them: a terminal, a narrow one, or the next program of a pipe."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

_ENDLESS = 10_000
"""Columns: wider than any row."""


def show_on_terminal(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """With a frame, in which only the widest column is wrapped.

    A list that does not fit even so is shown row by row: words that are cut in pieces cannot be copied.
    """
    texts = [[column, *(cell.plain for cell in cells)] for column, *cells in zip(columns, *rows, strict=True)]
    widths = [max(cell_len(line) for text in column for line in text.split("\n")) for column in texts]
    widest = widths.index(max(widths))
    longest_word = max(cell_len(word) for text in texts[widest] for word in [*text.split(), ""])
    frame = 3 * len(columns) + 1
    is_list = len(columns) > len(("what", "is"))
    if is_list and sum(widths) - widths[widest] + longest_word + frame > console.width:
        _show_row_by_row(console, columns, rows)
        return
    # Folded where there is no room: what is cut off cannot be copied either.
    table = Table(*(Column(name, overflow="fold", no_wrap=place != widest) for place, name in enumerate(columns)))
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _show_row_by_row(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    for row in rows:
        table = Table(Column(no_wrap=True), Column(overflow="fold"), box=None, show_header=False, pad_edge=False)
        for column, cell in zip(columns, row, strict=True):
            if cell.plain:
                table.add_row(Text(column, style="bold"), cell)
        console.print(table, "")


def for_programs(columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> str:
    """Without a frame, each row on a line of its own however long it is, for grep and awk."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console = Console(width=_ENDLESS, color_system=None)
    with console.capture() as written:
        console.print(table)
    return "\n".join(line.rstrip() for line in written.get().splitlines())
