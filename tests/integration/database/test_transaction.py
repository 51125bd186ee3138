"""A transaction without SQLAlchemy: what it keeps, and what becomes of it when connections die."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from application.images.model_gate import CreateRate
from domain.errors import Unavailable
from infrastructure.alerts import LoggedAlerts
from infrastructure.database.connections import Connections
from infrastructure.database.engine import TRANSACTION_SECONDS
from infrastructure.database.model_gate import SqlModelGate
from infrastructure.database.tally import Tally
from infrastructure.database.transaction import Transaction, WritePool, open_write_pool
from infrastructure.metrics.work import WorkMetrics
from tests.integration.database.silence import silent_network
from tests.integration.database.stage import Stage

ADD = "INSERT INTO daily_grants (day, granted) VALUES ($1, 1)"


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[WritePool]:
    async with open_write_pool(database_url, connections=2) as pool:
        yield pool


async def days(stage: Stage) -> list[str]:
    return [row["day"] for row in await stage.database.fetch("SELECT day FROM daily_grants ORDER BY day")]


async def kill_connections(stage: Stage) -> None:
    await stage.database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_what_was_committed_stays_and_nothing_else(stage: Stage, pool: WritePool) -> None:
    """One transaction after another; what follows the last commit has not happened."""
    async with pool.transaction() as transaction:
        await transaction.fetch(ADD, "a")
        await transaction.fetch(ADD, "b")
        await transaction.commit()
        await transaction.fetch(ADD, "c")
        await transaction.rollback()
        await transaction.fetch(ADD, "d")
        await transaction.commit()
        await transaction.commit()
        await transaction.fetch(ADD, "e")
    assert await days(stage) == ["a", "b", "d"]


async def test_a_statement_by_itself_is_a_transaction(stage: Stage, pool: WritePool) -> None:
    await pool.fetch(ADD, "a")
    assert await days(stage) == ["a"]


async def test_what_one_statement_spoiled_cannot_be_committed(stage: Stage, pool: WritePool) -> None:
    """PostgreSQL answers such a commit with a rollback, and no error: whoever asked for it must hear that."""
    async with pool.transaction() as transaction:
        await transaction.fetch(ADD, "a")
        with pytest.raises(asyncpg.UniqueViolationError):
            await transaction.fetch(ADD, "a")
        with pytest.raises(RuntimeError, match="rolled back"):
            await transaction.commit()
    assert await days(stage) == []
    await pool.fetch(ADD, "b")


async def test_connections_that_died_while_nobody_used_them_are_replaced(stage: Stage, pool: WritePool) -> None:
    """All of them, after a restart of the server: nobody need hear of it."""
    async with pool.transaction() as one, pool.transaction() as other:
        await one.fetch(ADD, "a")
        await other.fetch(ADD, "b")
    await kill_connections(stage)
    async with pool.transaction() as one, pool.transaction() as other:
        await one.fetch(ADD, "c")
        await other.fetch(ADD, "d")
        await one.commit()
        await other.commit()
    assert await days(stage) == ["c", "d"]


async def test_a_connection_that_dies_in_a_transaction_ends_it(stage: Stage, pool: WritePool) -> None:
    """Nothing of it has happened, and the same handler can begin anew."""
    async with pool.transaction() as transaction:
        await transaction.fetch(ADD, "a")
        await kill_connections(stage)
        with pytest.raises(Unavailable):
            await transaction.fetch(ADD, "b")
        await transaction.rollback()
        await transaction.fetch(ADD, "c")
        await transaction.commit()
    assert await days(stage) == ["c"]


async def test_a_worker_that_is_cut_off_in_a_transaction_leaves_nothing_behind(stage: Stage, pool: WritePool) -> None:
    """Neither rows nor a connection that stays taken."""

    async def work() -> None:
        async with pool.transaction() as transaction:
            await transaction.fetch(ADD, "a")
            await transaction.fetch("SELECT pg_sleep(60)")

    for _ in range(4):
        working = asyncio.create_task(work())
        await asyncio.sleep(0.05)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    await pool.fetch(ADD, "b")
    assert await days(stage) == ["b"]


async def test_a_transaction_that_stands_still_keeps_nobody_from_its_rows_for_long(
    stage: Stage, pool: WritePool
) -> None:
    """The server ends it, long before the time that a busy one has; whoever wakes up in it hears that it is over."""
    silent = """
        SELECT count(*) FROM pg_sleep(0.1), pg_stat_activity
        WHERE datname = current_database() AND state = 'idle in transaction'
    """
    async with pool.transaction() as transaction:
        await transaction.fetch(ADD, "a")
        async with asyncio.timeout(TRANSACTION_SECONDS * 0.75):
            while await stage.database.fetchval(silent):
                pass
        with pytest.raises(Unavailable):
            await transaction.fetch(ADD, "b")
    await pool.fetch(ADD, "a")
    assert await days(stage) == ["a"]


async def test_who_finds_no_connection_free_waits_for_one(stage: Stage, pool: WritePool) -> None:
    async def add(number: int) -> None:
        async with pool.transaction() as transaction:
            await transaction.fetch(ADD, f"{number:02}")
            await asyncio.sleep(0.001)
            await transaction.commit()

    await asyncio.gather(*(add(number) for number in range(20)))
    assert len(await days(stage)) == 20


async def test_a_server_that_takes_no_writes_is_unavailable(stage: Stage, database_url: str) -> None:
    """As one that stands by, or whose disk is full: for statements, transactions and sessions alike, until it does.

    Each asks for a new connection then, which may find another server, that took its place.
    """
    database = await stage.database.fetchval("SELECT current_database()")
    async with open_write_pool(database_url, connections=1) as pool:
        await stage.database.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        with pytest.raises(Unavailable):
            await pool.fetch(ADD, "a")
        async with pool.transaction() as transaction:
            with pytest.raises(Unavailable):
                await transaction.fetch(ADD, "b")
        async with stage.desk() as desk:
            await desk.transaction.fetch("SET TRANSACTION READ ONLY")
            with pytest.raises(Unavailable):
                await desk.transaction.fetch(ADD, "c")
        await stage.database.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
        await pool.fetch(ADD, "d")
    assert await days(stage) == ["d"]


async def test_a_migration_under_a_worker_is_at_most_unavailable(stage: Stage, database_url: str) -> None:
    """A column that is added is no matter; one that changes its type has the transaction begun once more."""
    rate = CreateRate(600)

    async def use(transaction: Transaction) -> None:
        tally, alerts = Tally(WorkMetrics(CollectorRegistry())), LoggedAlerts(CollectorRegistry())
        gate = SqlModelGate(transaction, tally, alerts, model="a model", rate=rate)
        await gate.admit()
        await gate.failed(1)
        await transaction.commit()

    async with open_write_pool(database_url, connections=1) as pool:
        async with pool.transaction() as transaction:
            await use(transaction)
        await stage.database.execute("ALTER TABLE model_gates ADD COLUMN later integer")
        async with pool.transaction() as transaction:
            await use(transaction)
        await stage.database.execute("ALTER TABLE model_gates ALTER COLUMN failures TYPE bigint")
        async with pool.transaction() as transaction:
            with pytest.raises(Unavailable):
                await use(transaction)
            await transaction.rollback()
            await use(transaction)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with open_write_pool("postgresql://nobody@127.0.0.1:1/none", connections=1) as pool:
        with pytest.raises(Unavailable):
            await pool.fetch("SELECT 1")
        async with pool.transaction() as transaction:
            with pytest.raises(Unavailable):
                await transaction.fetch("SELECT 1")


async def test_a_server_that_falls_silent_at_the_commit_is_unavailable(
    stage: Stage, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has to note what was paid for waits for that answer and no other; the connection makes room for another.

    The driver's patience is shortened here, in proportion.
    """
    monkeypatch.setattr("infrastructure.database.connections.ACQUIRE_SECONDS", 0.2)
    async with silent_network(database_url) as (address, speaks):
        connections = Connections(lambda: asyncpg.connect(address, timeout=1, command_timeout=0.6), 1)
        pool = WritePool(connections)
        with pytest.raises(Unavailable):  # noqa: PT012 - the end of the block is asked too
            async with pool.transaction() as transaction:
                await transaction.fetch(ADD, "a")
                speaks.clear()
                await transaction.commit()
        speaks.set()
        await pool.fetch(ADD, "b")
        await connections.close()
    assert "b" in await days(stage)


async def test_a_server_that_falls_silent_amid_a_transaction_is_asked_nothing_more(
    stage: Stage, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither to roll back nor to begin anew: each would be waited for as long. Its connection is kept by nobody."""
    monkeypatch.setattr("infrastructure.database.connections._PARTING_SECONDS", 0.1)
    async with silent_network(database_url) as (address, speaks):
        made: list[asyncpg.Connection] = []

        async def connect() -> asyncpg.Connection:
            made.append(await asyncpg.connect(address, timeout=1, command_timeout=0.6))
            return made[-1]

        connections = Connections(connect, 1)
        pool = WritePool(connections)
        await pool.fetch(ADD, "a")
        for said_before in (["b"], []):
            async with pool.transaction() as transaction:
                for day in said_before:
                    await transaction.fetch(ADD, day)
                speaks.clear()
                with pytest.raises(Unavailable):
                    await transaction.fetch(ADD, "c")
            speaks.set()
            await pool.fetch("SELECT 1")
        assert [connection.is_closed() for connection in made] == [True, True, False]
        await connections.close()
    assert await days(stage) == ["a"]
