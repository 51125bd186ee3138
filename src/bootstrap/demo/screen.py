"""What a newcomer sees: one line for each step, with what came of it and how long it took."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

_NARROW = 78
_SECONDS_WIDTH = 9


class Step:
    """Says what came of it in `done`, and meanwhile how it goes."""

    def __init__(self, doing: str, console: Console, status: Status) -> None:
        self.done = doing
        self._console = console
        self._status = status

    def say(self, how_it_goes: str) -> None:
        """Replace the moving line; only a terminal shows it."""
        self._status.update(f"[dim]{escape(how_it_goes)}[/]")

    def note(self, line: str) -> None:
        """Leave a line above the step's own."""
        self._console.print(f"     [dim]{escape(line)}[/]", soft_wrap=True)


class Screen:
    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._width = min(self._console.width, _NARROW)

    def title(self, text: str, explanation: str) -> None:
        self._console.print(f"\n[bold]{escape(text)}[/]\n[dim]{escape(explanation)}[/]\n", width=self._width)

    @contextmanager
    def step(self, doing: str) -> Iterator[Step]:
        began = time.perf_counter()
        with self._console.status(f"[dim]{escape(doing)}[/]") as status:
            step = Step(doing, self._console, status)
            try:
                yield step
            except BaseException:
                self._line("[red]✗[/]", doing, time.perf_counter() - began)
                raise
        self._line("[green]✓[/]", step.done, time.perf_counter() - began)

    def _line(self, mark: str, text: str, seconds: float) -> None:
        row = Table.grid(padding=(0, 1))
        row.add_column(width=3, justify="right")
        row.add_column(width=self._width - _SECONDS_WIDTH - 5)
        row.add_column(width=_SECONDS_WIDTH, justify="right", style="dim")
        row.add_row(mark, escape(text), f"{seconds:.2f} s")
        self._console.print(row)

    def remark(self, line: str) -> None:
        self._console.print(f"    [yellow]{escape(line)}[/]")

    def summary(self, title: str, lines: Sequence[object], remark: str) -> None:
        self._console.print(f"\n[bold]{escape(title)}[/]")
        for line in lines:
            self._console.print(f"  {escape(str(line))}", soft_wrap=True)
        self._console.print(f"\n[yellow]{escape(remark)}[/]\n", width=self._width)

    def failure(self, text: str, hint: str = "") -> None:
        self._console.print(f"\n[bold red]{escape(text)}[/]", soft_wrap=True)
        if hint:
            self._console.print(escape(hint), soft_wrap=True)
