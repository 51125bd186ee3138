"""The results as a table, and the file that keeps them."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from math import inf
from pathlib import Path

from benchmarks import cores, data, wrk
from benchmarks.measure import ROUNDS, SECONDS, Row, Tail, Unit

_HEADINGS = (
    *("work", "under", "against", "ours", "theirs", "ratio", "target", "p99 ratio", "target"),
    *("p50 / p99 ours, ms", "p50 / p99 theirs, ms", "API's memory", "longest stall", "errors", "verdict"),
)
_PACKAGES = ("litestar", "uvicorn", "uvloop", "httptools", "asyncpg", "msgspec", "dishka", "pyjwt")
_BY_HAND = "## What was learnt"


def table(rows: Sequence[Row]) -> str:
    lines = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(_HEADINGS))]
    ruled = [lines[0], tuple("-" * width for width in widths), *lines[1:]]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in ruled
    )


def line(row: Row) -> str:
    """Say how a work went, as soon as it is measured."""
    if row.ratio is None:
        return f"{row.work}, {row.under}: {_amount(row.ours, row.unit)}"
    tail = f", p99 {row.tail.ratio:.2f} times theirs" if row.tail else ""
    stall = f", the loop held up {_bound(row.watch.longest)} at most" if row.watch.longest else ""
    return f"{row.work}, {row.under}: {row.ratio:.2f} of {row.against}{tail}{stall}: {_verdict(row)}"


def machine(rows: Sequence[Row], postgres: str, busy: float) -> str:
    """Describe what the figures were taken on, and with what."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    placed = (
        "What was under test had one core to itself, and everything else shared the others; during logins and uploads, "
        "and where two processes were held against one, all cores were everybody's"
        if cores.PINNED
        else "Server, PostgreSQL and load shared all cores"
    )
    client = (
        "wrk, and `benchmarks/load.py` for loads beside others; one"
        if wrk.COMMAND
        else "`benchmarks/load.py`, since wrk is not installed: a Python process that"
    )
    return "\n".join(
        (
            f"- {os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.machine()}",
            f"- {placed}",
            f"- Load average before the run: {busy:.1f}",
            f"- {platform.python_implementation()} {platform.python_version()}, PostgreSQL {postgres}",
            f"- {packages}",
            f"- The load: {client} took {_share(rows):.0%} of a core at most",
        )
    )


def write(path: Path, rows: Sequence[Row], description: str) -> None:
    """Write the results anew; what people have noted below stays."""
    kept = path.read_text().partition(_BY_HAND)[2] if path.exists() else "\n"
    path.write_text(f"{_PREAMBLE}\n{table(rows)}\n\n## The machine\n\n{description}\n\n{_BY_HAND}{kept}")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.work,
        row.under,
        row.against,
        _amount(row.ours, row.unit),
        "" if row.theirs is None else _amount(row.theirs, row.unit),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        str(row.target or ""),
        *(_tail_cells(row.tail) if row.tail else ("", "", "", "")),
        "" if row.watch.memory is None else _amount(row.watch.memory, "MB"),
        "" if row.watch.longest is None else _bound(row.watch.longest),
        str(row.errors),
        _verdict(row),
    )


def _verdict(row: Row) -> str:
    if not row.met:
        return "MISSED"
    return "met" if row.ratio is not None else ""


def _bound(milliseconds: float) -> str:
    return "beyond 2.5 s" if milliseconds == inf else f"<= {milliseconds:g} ms"


def _tail_cells(tail: Tail) -> tuple[str, ...]:
    return (
        f"{tail.ratio:.2f}",
        str(tail.target or ""),
        *(" / ".join(f"{seconds * 1e3:.1f}" for seconds in latencies) for latencies in (tail.ours, tail.theirs)),
    )


def _amount(value: float, unit: Unit) -> str:
    return f"{value:,.{0 if value >= 100 else 1}f} {unit}".rstrip()


def _share(rows: Sequence[Row]) -> float:
    return max(row.load for row in rows)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


_PREAMBLE = f"""# How fast it is

`just bench` has written this page down to "What was learnt". Only the ratios are claims; rates and times belong to
this machine and this hour. Ours is `hairtryon serve` or `hairtryon worker` with everything on. There are
{data.IMAGES:,} images of {data.USERS:,} customers, and the requests are spread over all of them.

Each figure is the median of several rounds, ours and the other in turn; a ratio is the median of the rounds' own
ratios. A round of a load takes {SECONDS} seconds, and there are {ROUNDS} of them, or 3 where what surrounds them takes
longer: during logins, beside streams, and of generations. What is said to be flat was looked at twice in one run.
Where loads were compared, the table tells the API's memory at the end, and how long its event loop was held up at most:
a look every 50 ms, and the bound of the bucket that the latest fell into (`watchdog.py`).

What ours is held against is in this folder: the floor, the static handler and the four statements in `floor.py`, the
bare sum of what a generation needs in `bare_worker.py`, and `libvips.py`. The provider is played by `provider.py`.
What a generation costs is counted on the wire and by the system (`cost.py`); it has no target, and is there to be
compared with what it was. How a second process is judged where the cores are shared with the load is told in
`processes.py`, and what the larger database is in `growth.py`; the requests of those rows wait for nobody, so a time
there is half of the requests' at most.
"""
