"""The results as a table, and the file that keeps them."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import cores, data
from benchmarks.measure import ROUNDS, SECONDS, Row

_HEADINGS = (
    *("work", "connections", "against", "ours/s", "theirs/s", "ratio", "target", "p99 ratio", "target"),
    *("p50 / p99 ours, ms", "p50 / p99 theirs, ms", "errors", "verdict"),
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


def machine(rows: Sequence[Row], postgres: str, busy: float) -> str:
    """Describe what the figures were taken on, and with what."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    placed = (
        "Each server under test had one core to itself; PostgreSQL and the load shared the others; during logins the "
        "server had all cores"
        if cores.PINNED
        else "Server, PostgreSQL and load shared all cores"
    )
    return "\n".join(
        (
            f"- {os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.machine()}",
            f"- {placed}",
            f"- Load average before the run: {busy:.1f}",
            f"- {platform.python_implementation()} {platform.python_version()}, PostgreSQL {postgres}",
            f"- {packages}",
            f"- The load: `benchmarks/load.py`, a Python process that took {_share(rows):.0%} of a core at most",
        )
    )


def write(path: Path, rows: Sequence[Row], description: str) -> None:
    """Write the results anew; what people have noted below stays."""
    kept = path.read_text().partition(_BY_HAND)[2] if path.exists() else "\n"
    path.write_text(f"{_PREAMBLE}\n{table(rows)}\n\n## The machine\n\n{description}\n\n{_BY_HAND}{kept}")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.work,
        str(row.connections),
        row.against,
        f"{row.ours.rate:,.0f}",
        f"{row.theirs.rate:,.0f}",
        f"{row.ratio:.2f}",
        f">= {row.target}",
        f"{row.tail:.2f}",
        f"<= {row.tail_target:.0f}" if row.tail_target else "",
        f"{row.ours.p50 * 1e3:.1f} / {row.ours.p99 * 1e3:.1f}",
        f"{row.theirs.p50 * 1e3:.1f} / {row.theirs.p99 * 1e3:.1f}",
        str(row.ours.errors + row.theirs.errors),
        "met" if row.met else "MISSED",
    )


def _share(rows: Sequence[Row]) -> float:
    return max(figures.load for row in rows for figures in (row.ours, row.theirs))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


_PREAMBLE = f"""# How fast it is

`just bench` has written this page down to "What was learnt". Only the ratios are claims; rates and times belong to
this machine and this hour. Ours is `hairtryon serve` with everything on. The floor and the static handler are
`benchmarks/floor.py`. There are {data.IMAGES:,} images of {data.USERS:,} customers, and the requests are spread over
all of them. Each figure is the median of {ROUNDS} rounds (3 during logins) of {SECONDS} seconds, ours and the other
in turn; a ratio is the median of the rounds' own ratios.
"""
