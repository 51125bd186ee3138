"""What is left when everything is back and has come to rest."""

import asyncio
import io
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
from PIL import Image, UnidentifiedImageError

from application.actor import Actor
from application.credits.audit_ledger import AuditLedger, AuditLedgerHandler
from infrastructure.database.engine import open_read_pool
from infrastructure.database.readers import SqlLedgerAuditor
from tests.faults.rig import Rig
from tests.outages.crowd import Crowd
from tests.outages.object_store import ObjectStore
from tests.soak.audit import Finding
from tests.soak.purchases import compare

REST_SECONDS = 90.0

_OPEN = "SELECT count(*) FROM views WHERE status IN ('PENDING', 'PROCESSING')"
_ENDED = "SELECT status || coalesce(' ' || error, '') AS outcome, count(*) AS views FROM views GROUP BY 1 ORDER BY 1"
_GOOD_ENDS = {"COMPLETED", "FAILED provider_unavailable"}
_SHOWN = "SELECT output_key FROM views WHERE status = 'COMPLETED'"


async def come_to_rest(rig: Rig, crowd: Crowd, database: asyncpg.Connection) -> None:
    """Wait for what was begun, and have done at once what is announced for later; nobody is started anew."""

    async def nothing_open() -> bool:
        return not await database.fetchval(_OPEN)

    async def nothing_announced() -> bool:
        await database.execute("UPDATE outbox SET due_at = now() WHERE due_at > now() + interval '5 seconds'")
        return not await database.fetchval("SELECT count(*) FROM outbox")

    async def books_agree() -> bool:
        return (await compare(rig.dodo, database, crowd.ordered)).agree

    await database.execute("UPDATE transactions SET ask_at = now() WHERE session_id IS NOT NULL")
    for condition in (nothing_open, nothing_announced, books_agree):
        await _wait(condition)


async def _wait(condition: Callable[[], Awaitable[bool]]) -> None:
    """For a while; whether it came true is for the findings to say."""
    deadline = time.monotonic() + REST_SECONDS
    while not await condition() and time.monotonic() < deadline:  # noqa: ASYNC110 - other processes make it true
        await asyncio.sleep(0.5)


async def findings(
    rig: Rig, store: ObjectStore, crowd: Crowd, since: dict[Path, int], database: asyncpg.Connection
) -> list[Finding]:
    async with open_read_pool(rig.postgres.url, connections=1) as pool:
        ledger = await AuditLedgerHandler(auditor=SqlLedgerAuditor(pool))(AuditLedger(), Actor.operator("outages"))
    ended = {row["outcome"]: row["views"] for row in await database.fetch(_ENDED)}
    kept = {row["id"] for row in await database.fetch("SELECT id FROM images")}
    books = await compare(rig.dodo, database, crowd.ordered)
    mails = Counter([await crowd.mails(email) for email in crowd.signed_up])
    async with store.reader() as storage:
        shown = [await storage.get(row["output_key"]) for row in await database.fetch(_SHOWN)]
    told = {secret for _, text in rig.written(since) for secret in rig.canaries if secret in text}
    ours = [line for line in rig.logged(since) if "logger" not in line]
    errors = Counter(_in_short(line) for line in ours if line.get("level") in {"error", "critical"})
    return [
        Finding("how accepted try-ons ended", told_of(ended), ended.keys() <= _GOOD_ENDS),
        _none("try-ons accepted and not kept", len(set(crowd.accepted) - kept)),
        _none("pictures of completed try-ons that do not decode", sum(not _decodes(picture) for picture in shown)),
        Finding("ledger and holds", "balanced" if ledger.balanced else str(ledger), ledger.balanced),
        Finding("purchases paid and credited once", f"{len(books.paid)}", books.agree),
        Finding("sign-ups by how many mails came", told_of(mails), set(mails) == {1}),
        _none("outbox rows left", await database.fetchval("SELECT count(*) FROM outbox")),
        Finding("errors in the logs", told_of(errors) or 0, not errors),
        _none("secrets in the logs", len(told)),
    ]


def _in_short(line: dict[str, Any]) -> str:
    return f"{line['event']} {str(line.get('exception', '')).rpartition(chr(10))[2]}".strip()


def _none(what: str, number: int) -> Finding:
    return Finding(what, number, number == 0)


def told_of(counted: dict[str, int] | Counter[int] | Counter[str]) -> str:
    return ", ".join(f"{what}: {times}" for what, times in sorted(counted.items()))


def _decodes(picture: bytes) -> bool:
    try:
        Image.open(io.BytesIO(picture)).load()
    except (OSError, UnidentifiedImageError):
        return False
    return True
