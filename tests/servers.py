"""Real servers for tests: one PostgreSQL for the whole run, one Valkey for each worker, started by who first asks.

The PostgreSQL is a child of the process that controls the run: pytest itself, or the controller of its xdist workers,
which ask it over a local socket. It is stopped at the end of the run and, should the controller be killed, by its
reaper. Each test has a database of its own, cloned from a template that was migrated once.
"""

import asyncio
import os
import secrets
import shutil
import socket
import tempfile
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from bootstrap.embedded import PostgresServer, ValkeyServer, start_postgres, start_valkey
from bootstrap.reaper import start_time

_TEMPLATE = "migrated"
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in it has a name of its own
_ROOM = 4 << 30
"""Bytes: far more than a run takes, so that in a container, which has little, the disk is used."""


class RunPostgres(Protocol):
    """The PostgreSQL of this run, as any of its processes sees it."""

    @property
    def url(self) -> str:
        """A database that nobody else's test writes to and that stays empty: a place to create others from."""

    @property
    def template(self) -> str:
        """The name of a database with every table and no row."""


class OwnedPostgres(RunPostgres):
    """In the controlling process. The first question starts the server; the first about the template migrates it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._one_at_a_time = threading.RLock()
        self._server: PostgresServer | None = None
        self._is_migrated = False

    @property
    def url(self) -> str:
        with self._one_at_a_time:
            if self._server is None:
                self._server = start_postgres(self.folder / "postgres", durable=False)
            return self._server.url

    @property
    def template(self) -> str:
        from bootstrap import migrations  # noqa: PLC0415 - unit tests shall not wait for Alembic

        with self._one_at_a_time:
            if not self._is_migrated:
                execute(self.url, f"CREATE DATABASE {_TEMPLATE}")
                migrations.upgrade(of_database(self.url, _TEMPLATE))
                self._is_migrated = True
        return _TEMPLATE

    def answer(self, listener: Listener) -> None:
        """Serve the workers until the process ends."""
        while True:
            with listener.accept() as worker:
                try:
                    worker.send((getattr(self, worker.recv()), ""))
                except Exception:  # noqa: BLE001 - the worker's test shall show it
                    worker.send(("", traceback.format_exc()))

    def stop(self) -> None:
        with self._one_at_a_time:
            if self._server is not None:
                self._server.stop()


class ControllersPostgres(RunPostgres):
    """In an xdist worker."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = bytes.fromhex(key)

    @property
    def url(self) -> str:
        return self._ask("url")

    @property
    def template(self) -> str:
        return self._ask("template")

    def _ask(self, question: str) -> str:
        with Client(("127.0.0.1", self._port), authkey=self._key) as controller:
            controller.send(question)
            answer, trouble = controller.recv()
        if trouble:
            raise RuntimeError(f"The test run's PostgreSQL cannot be had:\n{trouble}")
        return str(answer)


_POSTGRES = pytest.StashKey[RunPostgres]()
_FOLDER = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)  # before pytest decides where its temporary folders are
def pytest_configure(config: pytest.Config) -> None:
    told_by_controller: dict[str, Any] | None = getattr(config, "workerinput", None)
    if told_by_controller is not None:
        config.stash[_POSTGRES] = ControllersPostgres(*told_by_controller["postgres"])
        return
    folder = config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="hairtryon-tests-"))
    config.stash[_POSTGRES] = OwnedPostgres(_in_memory(folder))
    # The usual place is shared by all runs of a user, each of which shuts others out of it at its start: also the user
    # that PostgreSQL runs as on behalf of root, under a server that is at work in there. `--basetemp DIR` keeps DIR.
    config.option.basetemp = config.option.basetemp or folder / "tmp"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker, before it starts, where to ask."""
    key = secrets.token_bytes(16)
    listener = Listener(("127.0.0.1", 0), authkey=key)
    threading.Thread(target=node.config.stash[_POSTGRES].answer, args=[listener], daemon=True).start()
    node.workerinput["postgres"] = (listener.address[1], key.hex())


def pytest_unconfigure(config: pytest.Config) -> None:
    postgres = config.stash.get(_POSTGRES, None)
    if isinstance(postgres, OwnedPostgres):
        postgres.stop()
        shutil.rmtree(postgres.folder, ignore_errors=True)
        shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)


def _in_memory(folder: Path) -> Path:
    """A folder in memory where there is room, else this one: to clone a database is to copy some 300 files."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        return folder
    for left_behind in _MEMORY.glob("hairtryon-tests-*-*"):  # by a run that was killed
        if start_time(int(left_behind.name.split("-")[2])) is None:
            shutil.rmtree(left_behind, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"hairtryon-tests-{os.getpid()}-", dir=_MEMORY))


def of_database(url: str, database: str) -> str:
    """The address of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def execute(url: str, *statements: str) -> None:
    """Run SQL statements, each in its own transaction; fit for fixtures and tests with or without an event loop."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as away_from_any_loop:
        away_from_any_loop.submit(asyncio.run, run()).result()


def fetch(url: str, query: str) -> list[asyncpg.Record]:
    """As `execute`, for what a query finds."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as away_from_any_loop:
        return away_from_any_loop.submit(asyncio.run, run()).result()


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> RunPostgres:
    """The PostgreSQL of this run, `.url` an address of it. Not to be stopped: a test of outages starts its own."""
    return pytestconfig.stash[_POSTGRES]


@pytest.fixture
def empty_database_url(postgres_server: RunPostgres) -> Iterator[str]:
    """A database without tables."""
    yield from _new_database(postgres_server.url, "template0")


@pytest.fixture
def database_url(postgres_server: RunPostgres) -> Iterator[str]:
    """A database with all tables and no rows."""
    yield from _new_database(postgres_server.url, postgres_server.template)


def _new_database(server: str, template: str) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield of_database(server, name)
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """The Valkey of this worker. Not to be stopped: a test of outages starts its own."""
    server = start_valkey(tmp_path_factory.mktemp("servers") / "valkey", durable=False)
    yield server
    server.stop()


@pytest.fixture
def redis_url(valkey_server: ValkeyServer) -> str:
    """An empty Valkey."""
    with socket.create_connection(("127.0.0.1", valkey_server.port)) as client:
        client.sendall(b"FLUSHALL\r\n")
        assert client.recv(16) == b"+OK\r\n"
    return valkey_server.url
