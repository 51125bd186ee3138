"""The report of a generation, for people."""

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.trace.metrics import Moved
from tests.trace.story import Report

_WIDTH = 140


def show(report: Report) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    counts = Table(
        "metric", "labels", "process", "before", "after", title=f"/metrics, try-on {report.image_id}", box=None
    )
    for change in report.changes:
        counts.add_row(*map(Text, _row(change)))
    console.print(counts)
    console.print()
    trace = Table("span", "about", "process", "began", "took", title="The trace of the generation", box=None)
    for line in report.trace:
        name = f"{'  ' * line.depth}{line.name}"
        trace.add_row(name, line.about, line.service, f"{line.begins:.3f} s", f"{line.seconds:.3f} s")
    console.print(trace)
    console.print()
    for fault in report.faults:
        console.print(Text(fault, style="red"))
    if not report.faults:
        console.print("One trace from the request to the stored pictures, and every count moved as it must.")


def _row(change: Moved) -> tuple[str, ...]:
    series = change.series
    labels = " ".join(f'{name}="{value}"' for name, value in series.labels)
    return series.name, labels, series.process, f"{change.before:.6g}", f"{change.after:.6g}"
