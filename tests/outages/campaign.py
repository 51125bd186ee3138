"""Everything taken away in turn, from the first answer to the verdict."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from tests.faults.rig import Rig
from tests.outages.aftermath import come_to_rest, findings, told_of
from tests.outages.answers import NORMAL
from tests.outages.crowd import Crowd
from tests.outages.object_store import ObjectStore
from tests.outages.outages import Outage
from tests.outages.verdicts import RECOVERY_SECONDS, Absence, Row, row_of, still_away, unforeseen
from tests.soak.audit import Finding

HEALTHY_SECONDS = 2.0
SETTINGS = {"GENERATION_DEADLINE_SECONDS": "90", "GENERATION_TIMEOUT_SECONDS": "30", "RECONCILE_SECONDS": "5"}
"""As in production, only shorter."""
_WIDTH = 150


class Told(Struct, frozen=True):
    """All that is to be said of one campaign."""

    seconds: float
    usual: Counter[str]
    """Answers while nothing was away, by route and answer."""
    rows: Sequence[tuple[Absence, Sequence[Row]]]
    findings: Sequence[Finding]

    @property
    def broken(self) -> list[str]:
        rows = [
            f"{absence.outage.name}, {row.route}: {wrong}"
            for absence, of_it in self.rows
            for row in of_it
            for wrong in row.wrong
        ]
        return rows + [f"{finding.what}: {finding.found}" for finding in self.findings if not finding.holds]


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[tuple[Rig, ObjectStore]]:
    """The real API, worker, PostgreSQL and Valkey, with a storage that can go away."""
    store = await asyncio.to_thread(ObjectStore, folder)
    try:
        rig = await asyncio.to_thread(lambda: Rig(folder, **store.settings, **SETTINGS))
        try:
            yield rig, store
        finally:
            await asyncio.to_thread(rig.close)
    finally:
        await asyncio.to_thread(store.close)


async def campaign(rig: Rig, store: ObjectStore, outages: Sequence[Outage]) -> Told:
    await rig.provider.reset()
    since, processes, began = rig.log_sizes(), (rig.api.pid, rig.worker.pid), time.monotonic()
    async with Crowd(rig) as crowd:
        attending = asyncio.create_task(crowd.attend())
        await _until_as_ever(crowd, time.monotonic())
        absences = [await _take_away(outage, rig, store, crowd) for outage in outages]
        await asyncio.sleep(HEALTHY_SECONDS)
        crowd.leaving.set()
        await attending
        database = await asyncpg.connect(rig.postgres.url)
        try:
            await come_to_rest(rig, crowd, database)
            found = await findings(rig, store, crowd, since, database)
        finally:
            await database.close()
    is_same = rig.api.running and rig.worker.running and (rig.api.pid, rig.worker.pid) == processes
    unasked = unforeseen(crowd.answers, absences)
    found += [
        Finding("API and worker", "as they were started" if is_same else "ended or restarted", is_same),
        Finding("answers that nobody promised, at any time", told_of(unasked) or 0, not unasked),
    ]
    first = absences[0].going
    return Told(
        time.monotonic() - began,
        Counter(f"{answer.route} {answer.what}" for answer in crowd.answers if answer.heard < first),
        [(absence, _rows(absence, crowd, absences)) for absence in absences],
        found,
    )


async def _take_away(outage: Outage, rig: Rig, store: ObjectStore, crowd: Crowd) -> Absence:
    going = time.monotonic()
    await outage.take(rig, store)
    gone = time.monotonic()
    await asyncio.sleep(outage.seconds)
    coming = time.monotonic()
    await outage.give(rig, store)
    back = time.monotonic()
    await _until_as_ever(crowd, back)
    late = ", ".join(still_away(crowd.answers, back)) or "all is as ever"
    lasted = f"{coming - gone:.0f} s, then for {time.monotonic() - back:.0f} s: {late}"
    print(f"{outage.name} for {lasted}", flush=True)  # noqa: T201 - a script, and pytest captures it
    return Absence(outage, going, gone, coming, back)


async def _until_as_ever(crowd: Crowd, since: float) -> None:
    """Wait for the usual answers, though not for ever, and for a few more of them."""
    while still_away(crowd.answers, since) and time.monotonic() < since + RECOVERY_SECONDS:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    await asyncio.sleep(HEALTHY_SECONDS)


def _rows(absence: Absence, crowd: Crowd, absences: Sequence[Absence]) -> list[Row]:
    return [
        row_of(route, absence, [answer for answer in crowd.answers if answer.route == route], absences)
        for route in NORMAL
    ]


def show(told: Told) -> None:
    table = Table(
        *("away", "route", "promised", "answers meanwhile", "slowest s", "as ever after s", ""),
        title=f"Taken away one by one under load: {told.seconds / 60:.1f} minutes",
    )
    for absence, rows in told.rows:
        table.add_section()
        lasted = f"{absence.outage.name}, {absence.coming - absence.gone:.0f} s"
        for number, row in enumerate(rows):
            is_usual = row.promised == (NORMAL[row.route],)
            promised = f"as ever: {NORMAL[row.route]}" if is_usual else " or ".join(row.promised)
            answers = ", ".join(f"{what}: {times}" for what, times in sorted(row.answers.items()))
            back = "-" if row.back_after is None else f"{row.back_after:.1f}"
            verdict = f"[red]BROKEN: {'; '.join(row.wrong)}[/]" if row.wrong else "[green]holds[/]"
            table.add_row("" if number else lasted, row.route, promised, answers, f"{row.slowest:.1f}", back, verdict)
    table.add_section()
    for finding in told.findings:
        verdict = "[green]holds[/]" if finding.holds else "[red]BROKEN[/]"
        table.add_row("afterwards", "", finding.what, str(finding.found), "", "", verdict)
    width = None if sys.stdout.isatty() else _WIDTH
    Console(highlight=False, width=width).print(table)
