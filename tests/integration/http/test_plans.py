"""How PostgreSQL goes about what the service asks, in tables that have grown."""

import json
from collections.abc import Awaitable, Iterator
from typing import Any

import asyncpg
import httpx

from benchmarks.data import Population, populate
from benchmarks.relay import Relay, Statement
from domain.users import Role
from tests.contract.conftest import RunningSandbox
from tests.integration.http.conftest import Start
from tests.integration.http.every_route import ask_every_route
from tests.integration.http.test_google import google

SIZE = Population(users=20_000, images=100_000, uploads_each=1, most_views=1)
BIG = 10_000
"""Rows."""
READ_ALL = {"auditLedger"}
"""Routes that are there to read everything."""
_BY_INDEX = {"Index Scan", "Index Only Scan"}
FILTERED = (
    "/user/images?favourites=true",
    "/user/images?style_id=1&status=FAILED",
    "/image/styles?category=standard",
)
FILTERED_BY_ADMINS = (
    "/admin/users?search=ada&role=admin&verified=true",
    "/admin/images?deleted=true",
    "/admin/images?user_id=1&style_id=1&status=FAILED",
    "/admin/payments?status=SUCCEEDED&user_id=1",
    "/admin/payments/events",
    "/admin/audit?operator=root&action=image.retry&subject=image:10",
    "/admin/styles?active=true",
)
"""Lists that are asked with conditions, by statements of their own."""
RARE = {
    "sessions.created_at < (now()": "housekeeping, once in ten minutes, of rows that live for a month",
}
"""Statements that may, by what stands in them, with the reason."""


async def test_no_statement_reads_a_big_table_from_end_to_end(
    start: Start, sandbox: RunningSandbox, relay: tuple[Relay, str], database_url: str
) -> None:
    """Neither for any route nor for a worker, by the plan that serves whatever the parameters are.

    That is the plan that a connection keeps once it has used a statement a few times. Each statement is taken from the
    wire as it was sent, and explained with the settings of the connection that it came on.
    """
    seen, address = relay
    service = await start(DATABASE_URL=address, **google(sandbox))
    await service.style()
    await populate(database_url, SIZE, books=True)

    async def note(answer: Awaitable[httpx.Response]) -> tuple[httpx.Response, int]:
        before = len(seen.statements)
        return await answer, before

    async for answer in ask_every_route(service, note):
        if answer.operation in READ_ALL:
            del seen.statements[answer.noted :]
    ada, grace = await service.customer(), await service.customer(role=Role.ADMIN)
    for who, path in [(ada, path) for path in FILTERED] + [(grace, path) for path in FILTERED_BY_ADMINS]:
        await who.get(path)
    for round_of_the_worker in (service.worker.sweep, service.worker.poll, service.worker.reconcile):
        await round_of_the_worker()
    await service.keep_house()

    big = await _big_relations(service.database)
    assert {"users", "sessions", "uploads", "images", "views", "holds", "ledger_entries"} <= big
    scans = []
    asked = {(statement.text, tuple(statement.settings.items())): statement for statement in seen.statements}
    for statement in asked.values():
        if statement.text.lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
            plan = await _plan(database_url, statement)
            scans += [(table, statement.text) for table in _read_whole(plan) if table in big]
    scans = [(table, text) for table, text in scans if not any(words in text for words in RARE)]
    assert scans == [], "\n\n".join(f"{table}: {text}" for table, text in scans)


async def _big_relations(database: asyncpg.Connection) -> set[str]:
    """Tables and indexes."""
    counted = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'i') AND reltuples >= $1"
    rows = await database.fetch(counted, float(BIG))
    return {row["relname"] for row in rows}


async def _plan(database_url: str, statement: Statement) -> Any:
    settings = {name: value for name, value in statement.settings.items() if name.startswith("enable_")}
    settings["plan_cache_mode"] = "force_generic_plan"
    connection = await asyncpg.connect(database_url, server_settings=settings)
    try:
        await connection.execute(f"PREPARE asked AS {statement.text}")
        count = await connection.fetchval(
            "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'asked'"
        )
        parameters = f"({', '.join(['NULL'] * count)})" if count else ""
        return json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{parameters}"))[0]["Plan"]
    finally:
        await connection.close()


def _read_whole(node: Any) -> Iterator[str]:
    """The tables that a plan reads without an index, and the indexes that it walks through from one end.

    What an index of few rows has, such as one of open views only, is what the statement asks for.
    """
    kind = node["Node Type"]
    if kind == "Seq Scan":
        yield node["Relation Name"]
    elif kind in _BY_INDEX and "Index Cond" not in node:
        yield node["Index Name"]
    for inner in node.get("Plans", ()):
        yield from _read_whole(inner)
