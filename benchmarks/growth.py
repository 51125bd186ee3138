"""What time and success do to the service: the same requests in a database ten times as large.

The base is 100,000 images of 10,000 customers; the other has 1,000,000 of 100,000. Both have ten images for each
customer, and as many a day: the second is ten times as old. So what a page or a month holds is the same, and what grows
is what nobody asked for. Each request is another customer's, of all there are. Latencies are those of a few
connections, so that nothing queues.

The figures of the admin API are taken once more over everything there is, each by its one query, against a plain count
by day of the largest table that it reads.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from http import HTTPStatus

import asyncpg
from msgspec import Struct

from benchmarks import cores
from benchmarks.customers import Customers
from benchmarks.data import Population
from benchmarks.measure import Row, Target, compare_amounts, run
from benchmarks.reads import GALLERY, STATUS, STYLES
from benchmarks.rig import Rig, Server
from infrastructure.database.engine import open_read_pool
from infrastructure.database.figures import SqlFigures

_BASE = Population(users=10_000, images=100_000, uploads_each=1, most_views=1)
_GROWN = Population(users=100_000, images=1_000_000, uploads_each=1, most_views=1)

_ROUNDS = 3
_STEADY = Target("<=", 1.3)
_QUICK = Target("<=", 15)
_ALL_DAYS = (date(2000, 1, 1), date(2100, 1, 1))

_ANALYTICS = "/api/v1/admin/analytics"
_ADMIN = {
    "all users": "/api/v1/admin/users",
    "all images": "/api/v1/admin/images",
    "all purchases": "/api/v1/admin/payments",
    "the audit log": "/api/v1/admin/audit",
    "the queue": "/api/v1/admin/queue",
}


def growth(rig: Rig) -> Iterator[Row]:
    with (
        _database(rig, "base", _BASE) as base,
        _database(rig, "grown", _GROWN) as grown,
        base.api(cores.SERVER) as before,
        grown.api(cores.SERVER, name="api-of-grown") as after,
    ):
        few, many = (_asked(rig, size) for size in (_BASE, _GROWN))
        for work in few:
            yield compare_amounts(
                work,
                f"{_GROWN.images:,} images",
                ours=partial(_milliseconds, after, many[work]),
                theirs=partial(_milliseconds, before, few[work]),
                against=f"itself with {_BASE.images:,}",
                unit="ms",
                target=_STEADY,
                rounds=_ROUNDS,
            )
        yield from _figures(grown.environ["DATABASE_URL"])
    rig.restore()


class _Asked(Struct, frozen=True):
    requests: list[bytes]
    expected: int = HTTPStatus.OK
    connections: int = 4
    seconds: float = 1.0


def _asked(rig: Rig, size: Population) -> dict[str, _Asked]:
    customers = Customers(rig.environ["SECRET_KEY"], size)
    return {
        "status": _Asked(customers.get(STATUS)),
        "gallery": _Asked(customers.get(GALLERY)),
        "styles": _Asked(customers.get(STYLES)),
        "generate": _Asked(customers.generate("/api/v1/image/generate"), HTTPStatus.ACCEPTED),
        **{work: _Asked(customers.admins_get(path)) for work, path in _ADMIN.items()},
        # Five queries over a month: few are answered in a second.
        "analytics of 30 days": _Asked(customers.admins_get(_ANALYTICS), connections=1, seconds=4.0),
    }


def _milliseconds(api: Server, asked: _Asked) -> float:
    """What half of the requests take at most."""
    figures = run(api.port, asked.requests, asked.connections, expected=asked.expected, seconds=asked.seconds)
    if figures.errors:
        raise RuntimeError(f"Requests were refused: {figures}")
    return figures.p50 * 1e3


def _figures(database_url: str) -> Iterator[Row]:
    for name, table, moment in (
        ("sign_ups", "users", "created_at"),
        ("renders", "views", "accepted_at"),
        ("styles", "views", "accepted_at"),
        ("credits", "ledger_entries", "created_at"),
        ("revenue", "transactions", "created_at"),
    ):

        async def figure(figures: SqlFigures, name: str = name) -> object:
            return await getattr(figures, name)(*_ALL_DAYS)

        yield compare_amounts(
            f"figures: {name.replace('_', '-')}",
            f"all {_rows(database_url, table):,} {table}",
            ours=partial(_taken, database_url, figure),
            theirs=partial(_taken, database_url, partial(_count, table, moment)),
            against="a count by day",
            unit="ms",
            target=_QUICK,
            rounds=_ROUNDS,
        )


def _taken(database_url: str, ask: Callable[[SqlFigures], Awaitable[object]]) -> float:
    async def measure() -> float:
        async with open_read_pool(database_url, connections=1) as pool:
            await pool.fetch("SELECT 1")
            began = time.perf_counter()
            await ask(SqlFigures(pool))
            return (time.perf_counter() - began) * 1e3

    return asyncio.run(measure())


async def _count(table: str, moment: str, figures: SqlFigures) -> object:
    counted = f"SELECT ({moment} AT TIME ZONE 'UTC')::date AS day, count(*) FROM {table} GROUP BY day"  # noqa: S608
    return await figures._pool.fetch(counted)  # noqa: SLF001 - the connection that the figures are read on


def _rows(database_url: str, table: str) -> int:
    async def count() -> int:
        connection = await asyncpg.connect(database_url)
        try:
            return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - of the tables above
        finally:
            await connection.close()

    return asyncio.run(count())


@contextmanager
def _database(rig: Rig, name: str, size: Population) -> Iterator[Rig]:
    """Another database of the same server."""
    asyncio.run(_execute(rig.environ["DATABASE_URL"], f"CREATE DATABASE {name}"))
    try:
        other = rig.reached_at(f"{rig.environ['DATABASE_URL'].rpartition('/')[0]}/{name}")
        other.fill(size, books=True)
        yield other
    finally:
        asyncio.run(_execute(rig.environ["DATABASE_URL"], f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
