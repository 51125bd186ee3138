"""A soak from its beginning to its verdict."""

import asyncio
import sys
import time
from collections.abc import Sequence

import asyncpg
from rich.console import Console
from rich.table import Table

from tests.faults.rig import Rig
from tests.soak.audit import Finding, audit, come_to_rest
from tests.soak.crowd import Crowd
from tests.soak.mishaps import Mishaps

CUSTOMERS = 6
CREDITS = 100_000
RENDERING_SECONDS = 0.5
SETTINGS = {
    "GENERATION_DEADLINE_SECONDS": "60",
    "GENERATION_TIMEOUT_SECONDS": "15",
    "RECONCILE_SECONDS": "2",
}
"""As in production, only shorter."""
_WIDTH = 120


async def soak(rig: Rig, seconds: float) -> bool:
    """Whether every promise was kept."""
    second_api, url = rig.make_api()
    second_worker = await asyncio.to_thread(rig.add_worker)
    try:
        second_api.start()
        since = rig.log_sizes()
        crowd = Crowd(rig, [rig.url, url])
        visitors = [await crowd.join(CREDITS) for _ in range(CUSTOMERS)]
        await rig.provider.reset()
        await rig.provider.take_time(RENDERING_SECONDS)
        mishaps = Mishaps(rig, [rig.api, second_api, rig.worker, second_worker])
        begun = time.monotonic()
        end = asyncio.Event()
        staying = [asyncio.create_task(visitor.stay()) for visitor in visitors]
        befalling = asyncio.create_task(mishaps.befall(end))
        await asyncio.wait([befalling, *staying], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        end.set()
        await befalling
        await mishaps.mend()
        crowd.leaving.set()
        await asyncio.gather(*staying)
        lasted = time.monotonic() - begun
        database = await asyncpg.connect(rig.postgres.url)
        try:
            await come_to_rest(rig, crowd, database)
            findings = await audit(rig, crowd, since, database)
        finally:
            await database.close()
    finally:
        second_api.thaw()
        second_api.stop()
    show(lasted, crowd, mishaps, findings)
    return all(finding.holds for finding in findings)


def show(seconds: float, crowd: Crowd, mishaps: Mishaps, findings: Sequence[Finding]) -> None:
    table = Table("what", "found", "", title=f"After {seconds / 60:.1f} minutes and a rest")
    for (action, status), times in sorted(crowd.answers.items()):
        table.add_row(f"{action} {status}", str(times), "")
    table.add_section()
    for mishap, times in sorted(mishaps.counted.items()):
        table.add_row(mishap, str(times), "")
    table.add_section()
    for finding in findings:
        table.add_row(finding.what, str(finding.found), "[green]holds[/]" if finding.holds else "[red]BROKEN[/]")
    width = None if sys.stdout.isatty() else _WIDTH
    Console(highlight=False, width=width).print(table)
