"""Connections that are lent: how many there are, who gets one, and which are used again."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from domain.errors import Unavailable
from infrastructure.database.connections import Connections
from infrastructure.database.engine import ReadPool
from infrastructure.database.transaction import WritePool
from tests.integration.database.stage import Stage

WHO = "SELECT pg_backend_pid() AS pid"


@pytest.fixture
async def connections(database_url: str) -> AsyncIterator[Connections]:
    """Two of them."""
    connections = Connections(lambda: asyncpg.connect(database_url), 2)
    yield connections
    await connections.close()


@pytest.fixture
def pool(connections: Connections) -> ReadPool:
    return ReadPool(connections)


async def who_answers(pool: ReadPool) -> int:
    (row,) = await pool.fetch(WHO)
    return int(row["pid"])


async def asleep(stage: Stage) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
    return int(await stage.database.fetchval(query))


async def test_one_connection_serves_whoever_comes_one_after_the_other(pool: ReadPool) -> None:
    assert len({await who_answers(pool) for _ in range(5)}) == 1


async def test_no_more_are_made_than_there_may_be(pool: ReadPool) -> None:
    assert len(set(await asyncio.gather(*(who_answers(pool) for _ in range(50))))) == 2


async def test_a_statement_that_is_refused_costs_no_connection(pool: ReadPool) -> None:
    before = await who_answers(pool)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await pool.fetch("SELECT 1 / 0")
    assert await who_answers(pool) == before


async def test_what_nobody_waits_for_any_more_is_stopped(stage: Stage, pool: ReadPool) -> None:
    """Also in the server, which would go on with it. The places are free at once."""
    for _ in range(4):
        reading = asyncio.create_task(pool.fetch("SELECT pg_sleep(60)"))
        while not await asleep(stage):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await who_answers(pool)
        while await asleep(stage):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_who_waits_too_long_is_told_and_takes_no_place(
    connections: Connections, pool: ReadPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infrastructure.database.connections.ACQUIRE_SECONDS", 0.05)
    lent = [await connections.acquire(), await connections.acquire()]
    for _ in range(3):
        with pytest.raises(Unavailable):
            await who_answers(pool)
    for connection in lent:
        connections.release(connection)
    assert len(set(await asyncio.gather(*(who_answers(pool) for _ in range(10))))) == 2


async def test_who_cannot_connect_takes_no_place() -> None:
    """However often: the server is there again, and so are all places."""

    async def fail() -> asyncpg.Connection:
        raise ConnectionRefusedError

    pool = ReadPool(Connections(fail, 1))
    for _ in range(3):
        with pytest.raises(Unavailable):
            await asyncio.wait_for(pool.fetch("SELECT 1"), 5)


async def test_who_gives_up_while_it_waits_leaves_its_turn_to_the_next(
    connections: Connections, pool: ReadPool
) -> None:
    lent = [await connections.acquire(), await connections.acquire()]
    waiting = [asyncio.create_task(who_answers(pool)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    for connection in lent:
        connections.release(connection)
    waiting[1].cancel()
    assert await waiting[2]
    assert len(set(await asyncio.gather(*(who_answers(pool) for _ in range(10))))) == 2


async def test_one_that_was_idle_for_long_is_made_anew(pool: ReadPool, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await who_answers(pool)
    monkeypatch.setattr("infrastructure.database.connections._IDLE_SECONDS", -1.0)
    assert await who_answers(pool) != before


async def test_a_transaction_that_was_left_open_is_not_lent_on(stage: Stage, connections: Connections) -> None:
    """Its locks go with its connection."""
    connection = await connections.acquire()
    await connection.execute("BEGIN")
    await connection.execute("INSERT INTO daily_grants (day, granted) VALUES ('a', 1)")
    connections.release(connection)
    async with WritePool(connections).transaction() as transaction:
        await transaction.fetch("INSERT INTO daily_grants (day, granted) VALUES ('a', 2)")
        await transaction.commit()
    assert await stage.database.fetchval("SELECT granted FROM daily_grants") == 2


async def test_who_still_has_one_when_all_are_closed_is_not_cut_off(stage: Stage, connections: Connections) -> None:
    """It is closed when it is given back."""
    lent = await connections.acquire()
    await connections.close()
    pid = await lent.fetchval("SELECT pg_backend_pid()")
    connections.release(lent)
    there = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {int(pid)}"  # noqa: S608 - a number
    while await stage.database.fetchval(there):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert lent.is_closed()
