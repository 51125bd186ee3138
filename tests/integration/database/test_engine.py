"""A database that is away, or goes away: said in one way, and forgotten as soon as it is back."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from domain.errors import Unavailable
from infrastructure.database.engine import ReadPool, create_engine, create_sessions, open_read_pool, open_session
from tests.integration.database.silence import silent_network
from tests.integration.database.stage import Stage
from tests.servers import of_database

DISCONNECT_ALL = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def nobodys_url() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return f"postgresql://nobody@127.0.0.1:{port}/none"


@pytest.fixture
async def nobodys_pool(nobodys_url: str) -> AsyncIterator[ReadPool]:
    """It opens all the same: a process starts while the database is away."""
    async with open_read_pool(nobodys_url, connections=2) as pool:
        yield pool


async def test_readers_and_writers_say_that_the_database_is_away(nobodys_url: str, nobodys_pool: ReadPool) -> None:
    """In the same words, with the time after which to ask again."""
    engine = create_engine(nobodys_url, connections=2)
    async with create_sessions(engine)() as session:
        with pytest.raises(Unavailable) as written:
            await session.execute(text("SELECT 1"))
    with pytest.raises(Unavailable) as read:
        await nobodys_pool.fetch("SELECT 1")
    await engine.dispose()
    for refusal in (written.value, read.value):
        assert (refusal.code, refusal.retry_after) == ("service_unavailable", 2.0)
    assert "nobody" not in str(written.value)


async def test_a_database_that_does_not_exist_is_away(database_url: str) -> None:
    async with open_read_pool(of_database(database_url, "never_created"), connections=1) as pool:
        with pytest.raises(Unavailable) as refusal:
            await pool.fetch("SELECT 1")
    assert "never_created" in str(refusal.value.__cause__)
    assert "never_created" not in refusal.value.detail


async def test_a_reader_that_was_cut_off_reads_on(stage: Stage) -> None:
    """The server was restarted between two requests: none of them fails for it but one under way."""
    assert await stage.pool.fetch("SELECT 1")
    await stage.database.execute(DISCONNECT_ALL)
    await asyncio.sleep(0.05)
    assert await stage.pool.fetch("SELECT 1")


async def test_a_reader_that_is_cut_off_while_it_reads_says_so(stage: Stage) -> None:
    reading = asyncio.create_task(stage.pool.fetch("SELECT pg_sleep(60)"))
    while not await stage.database.fetch(f"{DISCONNECT_ALL} AND query LIKE '%sleep(60)'"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    with pytest.raises(Unavailable):
        await reading
    assert await stage.pool.fetch("SELECT 1")


async def test_whoever_is_cancelled_while_writing_hears_just_that(stage: Stage) -> None:
    """Taken for a database that is away, it would be tried again by whoever was to stop."""
    async with create_sessions(stage.engine)() as session:
        writing = asyncio.create_task(session.execute(text("SELECT pg_sleep(61)")))
        asleep = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(61)' AND state = 'active'"
        while not await stage.database.fetch(asleep):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing


async def test_a_writer_that_was_cut_off_between_requests_notices_nothing(stage: Stage) -> None:
    await stage.user(email="ada@example.com")
    await stage.database.execute(DISCONNECT_ALL)
    async with stage.desk() as desk:
        assert await desk.users.by_email("ada@example.com")


async def test_a_writer_that_is_cut_off_amid_its_transaction_says_so(stage: Stage) -> None:
    """Nothing of it has happened, and the next one goes through."""
    async with stage.desk() as desk:
        await desk.users.by_id(1)
        await stage.database.execute(DISCONNECT_ALL)
        with pytest.raises(Unavailable):
            await desk.users.by_email("ada@example.com")
    assert await stage.user()


async def test_a_commit_that_is_cut_off_says_so(stage: Stage) -> None:
    async with stage.desk() as desk:
        user = await stage.user()
        loaded = await desk.users.by_id(user.id)
        assert loaded is not None
        loaded.name = "Another"
        await stage.database.execute(DISCONNECT_ALL)
        with pytest.raises(Unavailable):
            await desk.uow.commit()
    assert await stage.database.fetchval("SELECT name FROM users") == user.name


async def test_a_reader_of_a_server_that_falls_silent_says_so(database_url: str) -> None:
    """Its connection is kept by nobody, and the next reader has another."""
    async with silent_network(database_url) as (address, speaks), open_read_pool(address, connections=1) as pool:
        await pool.fetch("SELECT 1")
        speaks.clear()
        with pytest.raises(Unavailable):
            await pool.fetch("SELECT 1", seconds=0.3)
        speaks.set()
        assert await pool.fetch("SELECT 1")


@pytest.mark.parametrize("is_amid", [True, False], ids=["amid a transaction", "between two"])
async def test_a_writer_to_a_server_that_falls_silent_says_so(
    database_url: str, monkeypatch: pytest.MonkeyPatch, is_amid: bool
) -> None:
    """Amid a transaction and before one; afterwards the same engine writes on."""
    monkeypatch.setattr("infrastructure.database.engine._COMMAND_SECONDS", 0.5)
    async with silent_network(database_url) as (address, speaks):
        engine = create_engine(address, connections=1)
        async with create_sessions(engine)() as session:
            await session.execute(text("SELECT 1"))
            if not is_amid:
                await session.commit()
            speaks.clear()
            with pytest.raises(Unavailable):
                await session.execute(text("SELECT 1"))
        speaks.set()
        async with create_sessions(engine)() as session:
            assert await session.scalar(text("SELECT 1")) == 1
        await engine.dispose()


@pytest.mark.parametrize(("life", "connections"), [(300, 1), (0, 2)], ids=["not yet", "by now"])
async def test_a_connection_that_a_firewall_may_have_forgotten_is_made_anew(
    database_url: str, monkeypatch: pytest.MonkeyPatch, life: int, connections: int
) -> None:
    monkeypatch.setattr("infrastructure.database.engine._LIFE_SECONDS", life)
    engine = create_engine(database_url, connections=1)
    answered = set()
    for _ in range(2):
        async with create_sessions(engine)() as session:
            answered.add(await session.scalar(text("SELECT pg_backend_pid()")))
    assert len(answered) == connections
    await engine.dispose()


async def test_a_server_that_goes_away_as_soon_as_one_is_connected_is_away(
    stage: Stage, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while it stops or starts; afterwards the same engine writes on."""
    connect = asyncpg.connect

    async def connect_in_vain(*args: Any, **settings: Any) -> asyncpg.Connection:
        connection = await connect(*args, **settings)
        await stage.database.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
        return connection

    engine = create_engine(database_url, connections=1)
    sessions = create_sessions(engine)
    for _ in range(2):
        monkeypatch.setattr(asyncpg, "connect", connect_in_vain)
        async with open_session(sessions) as session:
            with pytest.raises(Unavailable):
                await session.execute(text("SELECT 1"))
        monkeypatch.setattr(asyncpg, "connect", connect)
        async with open_session(sessions) as session:
            assert await session.scalar(text("SELECT 1")) == 1
        await engine.dispose()


async def test_who_was_connected_to_a_server_that_stands_by_writes_on_once_another_takes_its_place(
    stage: Stage, database_url: str
) -> None:
    """The one that stands by lives on, and answers every question: from its connection nobody would ever part."""
    engine = create_engine(database_url, connections=2)
    sessions = create_sessions(engine)
    name = await stage.database.fetchval("SELECT quote_ident(current_database())")

    async def write() -> None:
        async with open_session(sessions) as session:
            await session.execute(text("INSERT INTO daily_grants (day, granted) VALUES ('a', 1)"))
            await session.commit()

    # A session keeps what was the default as it began.
    await stage.database.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with sessions() as first, sessions() as second:
        assert [await session.scalar(text("SELECT 1")) for session in (first, second)] == [1, 1]
    await stage.database.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    with pytest.raises(Unavailable):
        await write()
    await write()
    assert await stage.database.fetchval("SELECT granted FROM daily_grants") == 1
    await engine.dispose()


async def test_a_session_whose_connection_died_ends_in_peace(stage: Stage) -> None:
    """Nobody is to take that for a mistake of ours; the next session has another connection."""
    sessions = create_sessions(stage.engine)
    async with open_session(sessions) as session:
        await session.execute(text("SELECT 1"))
        await stage.database.execute(DISCONNECT_ALL)
        await asyncio.sleep(0.05)
    async with open_session(sessions) as session:
        assert await session.scalar(text("SELECT 1")) == 1


async def test_readers_wait_their_turn(stage: Stage) -> None:
    """There are more of them than connections, and all are answered."""
    answers = await asyncio.gather(*(stage.pool.fetchrow("SELECT $1::int AS number", number) for number in range(100)))
    assert [row["number"] for row in answers if row] == list(range(100))


async def test_a_reader_that_gives_up_leaves_a_working_pool(stage: Stage) -> None:
    """Its client went away amid the query."""
    for _ in range(10):
        reading = asyncio.create_task(stage.pool.fetch("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.02)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert await stage.pool.fetchrow("SELECT 1 AS one")
    assert await stage.pool.fetchrow("SELECT 1 WHERE false") is None
