"""`just bench [NAME...]`: measure all works, or those named. Fails when a target is missed."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg

import domain
from benchmarks import report
from benchmarks.cost import cost
from benchmarks.finished import finished, memory
from benchmarks.generate import generate
from benchmarks.growth import growth
from benchmarks.logins import logins
from benchmarks.measure import Row
from benchmarks.processes import processes
from benchmarks.reads import gallery, status, styles
from benchmarks.rig import Rig, open_rig
from benchmarks.start import start
from benchmarks.streams import streams
from benchmarks.upload import upload

WORKS: dict[str, Callable[[Rig], Iterator[Row]]] = {
    "status": status,
    "gallery": gallery,
    "styles": styles,
    "logins": logins,
    "generate": generate,
    "finished": finished,
    "memory": memory,
    "upload": upload,
    "start": start,
    "streams": streams,
    "cost": cost,
    "processes": processes,
    "growth": growth,
}
_RESULTS = Path(__file__).with_name("RESULTS.md").resolve()
_TREE = _RESULTS.parents[1]


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in WORKS]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(WORKS)}.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped then, too
    rows: list[Row] = []
    busy = os.getloadavg()[0]
    with open_rig() as rig:
        postgres = asyncio.run(_version(rig.environ["DATABASE_URL"]))
        for name in names or WORKS:
            for row in WORKS[name](rig):
                rows.append(row)
                print(report.line(row), flush=True)
    machine = report.machine(rows, postgres, busy)
    print(f"\n{report.table(rows)}\n\n{machine}")
    if not names:
        report.write(_RESULTS, rows, machine)
    return 0 if all(row.met for row in rows) else 1


def measure_this_tree() -> None:
    """Begin anew where the installation that `python` belongs to has another tree's code."""
    if not Path(domain.__file__).resolve().is_relative_to(_TREE):
        os.environ["PYTHONPATH"] = os.pathsep.join([str(_TREE / "src"), str(_TREE)])
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]])  # noqa: S606 - ourselves


async def _version(database_url: str) -> str:
    connection = await asyncpg.connect(database_url)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


if __name__ == "__main__":
    measure_this_tree()
    sys.exit(main(sys.argv[1:]))
