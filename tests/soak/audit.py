"""What is left when everything has come to rest, and whether it is as it must be."""

import asyncio
import io
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from msgspec import Struct
from PIL import Image, UnidentifiedImageError

from application.actor import Actor
from application.credits.audit_ledger import AuditLedger, AuditLedgerHandler
from infrastructure.database.engine import open_read_pool
from infrastructure.database.readers import SqlLedgerAuditor
from infrastructure.storage.disk import PARTS
from tests.faults.rig import Rig
from tests.soak.crowd import Crowd
from tests.soak.purchases import Mailed, compare

REST_SECONDS = 180.0
"""For what the customers have left behind. Deadlines of a soak are a minute."""

_OPEN = "SELECT count(*) FROM views WHERE status IN ('PENDING', 'PROCESSING')"
_SHOWN_AGAIN = "SELECT count(*) FROM views WHERE status = 'COMPLETED' AND attempt = 0"
_TOO_OFTEN = "SELECT count(*) FROM views WHERE attempt - attempts_before NOT BETWEEN 0 AND 3"
_SHOWN = """
SELECT output_key FROM views JOIN images ON images.id = views.image_id
WHERE views.status = 'COMPLETED' AND images.deleted_at IS NULL
"""
_NAMED = """
SELECT key FROM uploads UNION SELECT output_key FROM views WHERE output_key IS NOT NULL
UNION SELECT profile_picture FROM users WHERE profile_picture IS NOT NULL UNION SELECT thumbnail FROM styles
"""


class Finding(Struct, frozen=True):
    what: str
    found: object
    holds: bool = True


async def come_to_rest(rig: Rig, crowd: Crowd, database: asyncpg.Connection) -> None:
    """Wait until nothing is open, then have done at once what is announced for later, such as a second clearing up."""

    async def nothing_open() -> bool:
        return not await database.fetchval(_OPEN)

    async def nothing_announced() -> bool:
        await database.execute("UPDATE outbox SET due_at = now() WHERE due_at > now() + interval '5 seconds'")
        return not await database.fetchval("SELECT count(*) FROM outbox")

    async def nothing_expected() -> bool:
        return not await database.fetchval("SELECT count(*) FROM expected_files")

    async def books_agree() -> bool:
        return (await compare(rig.dodo, database, crowd.ordered)).agree

    # The longer ago something was bought, the less often is the payment provider asked about it.
    await database.execute("UPDATE transactions SET ask_at = now() WHERE session_id IS NOT NULL")
    await _wait(books_agree)
    await _wait(nothing_open)
    await _wait(nothing_announced)
    # Files that somebody was to store and never did are looked for after a day, by a worker that has just begun.
    await database.execute("UPDATE expected_files SET created_at = created_at - interval '2 days'")
    rig.worker.ask_to_stop()
    await asyncio.to_thread(rig.restart_worker)
    await _wait(nothing_expected)
    await _wait(nothing_announced)


async def _wait(condition: Callable[[], Awaitable[bool]]) -> None:
    """For a while; whether it came true is for the audit to say."""
    deadline = time.monotonic() + REST_SECONDS
    while not await condition() and time.monotonic() < deadline:  # noqa: ASYNC110 - other processes make it true
        await asyncio.sleep(1)


async def audit(rig: Rig, crowd: Crowd, since: dict[Path, int], database: asyncpg.Connection) -> list[Finding]:
    async with open_read_pool(rig.postgres.url, connections=1) as pool:
        ledger = await AuditLedgerHandler(auditor=SqlLedgerAuditor(pool))(AuditLedger(), Actor.operator("soak"))
    views = "SELECT status || coalesce(' ' || error, '') AS outcome, count(*) AS views FROM views GROUP BY 1 ORDER BY 1"
    outcomes = [Finding(f"views {row['outcome']}", row["views"]) for row in await database.fetch(views)]
    creates = await rig.provider.count("create")
    attempts = await database.fetchval("SELECT sum(attempt) FROM views") or 0
    kept = {row["id"] for row in await database.fetch("SELECT id FROM images")}
    # That money is asked back is no error of ours; that a payment is not what was ordered would be.
    errors = [
        line
        for line in _logged(rig, since)
        if line.get("level") in {"error", "critical"} and line.get("kind") != "payment_disputed"
    ]
    told = Counter(secret for _, text in rig.written(since) for secret in rig.canaries if secret in text)
    return [
        *outcomes,
        Finding("views COMPLETED without being rendered, by reuse", await database.fetchval(_SHOWN_AGAIN)),
        _none("views that are still open", await database.fetchval(_OPEN)),
        _none("views tried more than three times in a round", await database.fetchval(_TOO_OFTEN)),
        Finding(
            "ledger, the hold of every view, the grant of every payment",
            "balanced" if ledger.balanced else str(ledger),
            ledger.balanced,
        ),
        _none("try-ons accepted and not kept, or kept twice", len(kept ^ crowd.accepted)),
        _none("streams that told an event twice or left one out", len(crowd.wrongly_told)),
        _none("outbox rows left", await database.fetchval("SELECT count(*) FROM outbox")),
        Finding("creates that reached the provider / attempts", f"{creates} / {attempts}", creates <= attempts),
        *await _purchases(rig, crowd, database),
        *await _files(rig, database),
        _none("answers 5xx, other than 502 and 503", _unforeseen(crowd)),
        Finding("errors in the logs", _first(errors), not errors),
        _none("secrets in the logs", told.total()),
    ]


async def _purchases(rig: Rig, crowd: Crowd, database: asyncpg.Connection) -> list[Finding]:
    books = await compare(rig.dodo, database, crowd.ordered)
    async with httpx.AsyncClient(trust_env=False) as client:
        mails = (await client.get(f"{rig.sandbox_url}/brevo/mails")).json()["mails"]
    quarantined = await database.fetchval("SELECT count(*) FROM payment_events WHERE verdict = 'quarantined'")
    return [
        Finding("payments made / succeeded", f"{books.payments} / {books.succeeded}"),
        _none("payments that succeeded, not credited once, or open", len(books.not_credited_once)),
        _none("payments credited that did not succeed", len(books.credited_for_nothing)),
        _none("payments with credits wrongly taken back or frozen", len(books.not_taken_back)),
        _none("checkouts given out whose purchase was not kept", len(books.not_kept)),
        _none("payments quarantined", quarantined),
        _none("receipts and refund notices not mailed once", Mailed.of(mails).wrong(books)),
    ]


async def _files(rig: Rig, database: asyncpg.Connection) -> list[Finding]:
    # What a killed process was writing is removed by a write an hour later.
    whole = (path for path in rig.media.rglob("*") if path.is_file() and path.parent.name != PARTS)
    stored = {str(path.relative_to(rig.media)) for path in whole}
    shown = [row["output_key"] for row in await database.fetch(_SHOWN)]
    named = {row["key"] for row in await database.fetch(_NAMED)}
    return [
        Finding("pictures in storage", len(stored)),
        _none("pictures shown that do not decode", sum(not _decodes(rig.media / key) for key in shown)),
        Finding("files in storage that no record names", " ".join(sorted(stored - named)) or 0, stored <= named),
    ]


def _none(what: str, number: int) -> Finding:
    return Finding(what, number, number == 0)


def _decodes(path: Path) -> bool:
    try:
        Image.open(io.BytesIO(path.read_bytes())).load()
    except (OSError, UnidentifiedImageError):
        return False
    return True


def _unforeseen(crowd: Crowd) -> int:
    return sum(
        times for (_, status), times in crowd.answers.items() if status.startswith("5") and status not in {"502", "503"}
    )


def _logged(rig: Rig, since: dict[Path, int]) -> Iterator[dict[str, Any]]:
    """Every line of our own that can be read: one of a process that was killed may be half written."""
    for _, text in rig.written(since):
        for line in text.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and "logger" not in entry:
                yield entry


def _first(errors: list[dict[str, Any]]) -> str:
    """How many, and enough of the first to begin with."""
    if not errors:
        return "0"
    exception = str(errors[0].get("exception", "")).rpartition("Traceback")[2]
    return f"{len(errors)}, the first: {errors[0]['event']} {exception[-600:]}"
