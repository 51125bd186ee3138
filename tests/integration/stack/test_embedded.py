import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from bootstrap.embedded import (
    AlreadyRunningError,
    EmbeddedServer,
    EmbeddedServerError,
    PostgresServer,
    ValkeyServer,
    start_postgres,
    start_valkey,
)
from bootstrap.reaper import start_time


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = start_postgres(tmp_path_factory.mktemp("stack") / "postgres", durable=False)
    yield server
    server.stop()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = start_valkey(tmp_path / "valkey")
    yield server
    server.stop()


async def ask(server: PostgresServer, question: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_postgres_is_version_18_with_the_database_of_the_product(postgres: PostgresServer) -> None:
    """It is the real thing, in UTF-8 and UTC."""
    postgres.start()
    assert str(await ask(postgres, "SHOW server_version")).startswith("18.")
    assert await ask(postgres, "SELECT current_database()") == "hairtryon"
    assert await ask(postgres, "SELECT upper('é') || current_setting('TimeZone')") == "ÉUTC"


async def test_postgres_asks_for_its_password(postgres: PostgresServer) -> None:
    """Another user of this machine does not become the superuser of the database."""
    postgres.start()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.url.replace("@", "x@"))


@pytest.mark.parametrize("ending", ["stop", "kill"])
async def test_postgres_keeps_its_data_and_its_port_over_a_restart(postgres: PostgresServer, ending: str) -> None:
    """What was committed is there after a clean stop and after a crash, at the same address."""
    postgres.start()
    address = postgres.url
    await ask(postgres, f"CREATE SCHEMA kept_over_{ending}")
    getattr(postgres, ending)()
    assert not postgres.running
    postgres.start()
    assert postgres.url == address
    assert await ask(postgres, f"SELECT to_regnamespace('kept_over_{ending}') IS NOT NULL")


async def test_postgres_starts_over_a_lock_file_whose_pid_is_another_process_now(postgres: PostgresServer) -> None:
    """After a crash and a reboot, the pid in postmaster.pid may be anybody's."""
    postgres.start()
    lock = postgres.data / "postmaster.pid"
    written = lock.read_text()
    postgres.kill()
    lock.write_text(written.replace(written.split("\n", 1)[0], str(os.getpid()), 1))
    postgres.start()
    assert await ask(postgres, "SELECT 1") == 1


def test_two_postgres_never_work_on_one_folder(postgres: PostgresServer) -> None:
    """The second says that there is one, and which."""
    postgres.start()
    with pytest.raises(AlreadyRunningError, match=rf"already running on {postgres.data} \(pid {postgres.pid}\)"):
        start_postgres(postgres.data)


def test_a_server_that_does_not_run_has_no_pid(postgres: PostgresServer) -> None:
    """To ask for it is a mistake that says so."""
    postgres.stop()
    with pytest.raises(EmbeddedServerError, match="PostgreSQL is not running"):
        _ = postgres.pid


def test_a_server_that_cannot_start_shows_the_end_of_its_log(postgres: PostgresServer, tmp_path: Path) -> None:
    """Data of another version are refused in PostgreSQL's own words."""
    postgres.stop()
    shutil.copytree(postgres.data, tmp_path / "old")
    (tmp_path / "old" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedServerError, match="initialized by PostgreSQL version 12"):
        start_postgres(tmp_path / "old")


async def test_valkey_keeps_its_data_and_its_port_over_a_clean_restart(valkey: ValkeyServer) -> None:
    """What was written is there afterwards, at the same address."""
    async with Redis.from_url(valkey.url) as redis:
        await redis.set("kept", "yes")
    address = valkey.url
    valkey.stop()
    valkey.start()
    assert valkey.url == address
    async with Redis.from_url(valkey.url) as redis:
        assert await redis.get("kept") == b"yes"


async def test_valkey_is_version_9_and_drops_no_keys(valkey: ValkeyServer) -> None:
    """Short of memory it refuses to write."""
    async with Redis.from_url(valkey.url) as redis:
        assert (await redis.info("server"))["valkey_version"].startswith("9.")
        assert (await redis.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"


@pytest.mark.parametrize("start", [start_postgres, start_valkey])
def test_stopping_twice_is_as_good_as_once(start: "type[EmbeddedServer]", tmp_path: Path) -> None:
    """And leaves no process."""
    server = start(tmp_path / "data", durable=False)
    pid = server.pid
    server.stop()
    server.stop()
    assert start_time(pid) is None
