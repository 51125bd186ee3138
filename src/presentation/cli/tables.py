"""Tables, as they fit whoever reads them: a terminal, a narrow one, or the next program of a pipe."""

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

_GAP = 2
"""Columns of the terminal between two of the table."""
_ENDLESS = 10_000
"""Columns of a terminal that is wider than any row."""


def show_on_terminal(console: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """Wrapped between words where there is no room.

    A list whose words do not fit is shown row by row: one that is cut in pieces cannot be copied.
    """
    texts = [[column, *(cell.plain for cell in cells)] for column, *cells in zip(columns, *rows, strict=True)]
    widths = [max(cell_len(line) for text in column for line in text.split("\n")) for column in texts]
    words = [max(cell_len(word) for text in column for word in [*text.split(), ""]) for column in texts]
    room = console.width - _GAP * (len(columns) - 1)
    is_list = len(columns) > len(("what", "is"))
    if is_list and sum(words) > room:
        _show_row_by_row(console, columns, rows)
        return
    while is_list and sum(widths) > room:
        widest = max((place for place in range(len(columns)) if widths[place] > words[place]), key=widths.__getitem__)
        widths[widest] -= 1
    # Folded, where even a word is wider than the terminal: what is cut off cannot be copied either.
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for name, width in zip(columns, widths, strict=True):
        table.add_column(name, overflow="fold", width=width if is_list else None)
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
    """Each row on a line of its own however long it is, for grep and awk."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console = Console(width=_ENDLESS, color_system=None)
    with console.capture() as written:
        console.print(table)
    return "\n".join(line.rstrip() for line in written.get().splitlines())
