"""Connections to PostgreSQL: SQLAlchemy's where entities are mapped, bare asyncpg where it must be quick."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import cast

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import AdaptedConnection, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from domain.errors import Unavailable
from infrastructure.database.connections import ACQUIRE_SECONDS, Connections
from infrastructure.database.mapping import map_entities

RETRY_AFTER_SECONDS = 2.0
_CONNECT_SECONDS = 3.0
_COMMAND_SECONDS = 7.0
"""The longest waits for a new connection and for a statement. Whoever waits for a place (`ACQUIRE_SECONDS`), then for a
connection and for a statement, because the server says nothing any more, has an answer within 15 seconds: no longer do
payment providers wait for one to their webhooks."""
_LIFE_SECONDS = 300
"""An older connection of the engine is replaced when its turn comes: idle for so long, a firewall on the way may have
forgotten it without telling either end, and whoever asks it whether it lives waits for an answer in vain."""
LONG_SECONDS = 60.0
"""For statements that add up whole tables."""
BY_KEY = {"enable_seqscan": "off", "plan_cache_mode": "force_generic_plan"}
"""Settings of connections whose every statement finds its rows by keys, and need be planned only once. A plan that was
made while a table was small would read all of it, for as long as the connection lives, however large it grows; and a
list as a parameter makes PostgreSQL plan anew each time, which takes longer than the statement itself."""
TRANSACTION_SECONDS = 20
"""Enforced by the server: a process that stands still, or whose machine is gone, must not keep others from its rows."""
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    OSError,
    TimeoutError,
)
"""What asyncpg raises when the server is away (class 08), stopping (57), out of connections, memory or disk (53), or
out of patience with a transaction (25P04, 25P03) or with one that waits for a row (55P03); when it takes no writes, for
it stands by or its disk is full (25006), and knows us (28) or our database (3D000) not, or not any more; when a server
that stops says so just as the next statement is sent (`Internal...`); and when a migration has changed the type of a
column under a prepared statement, which is then made anew."""


def database_unavailable() -> Unavailable:
    return Unavailable("service_unavailable", "The service cannot answer right now.", retry_after=RETRY_AFTER_SECONDS)


class _Pool(AsyncAdaptedQueuePool):
    """A pool in which to find no connection free, for as long as one waits, is `Unavailable`.

    So is one that is mute: were a connection that does not answer the ping replaced, one would wait for the next to
    fail as well. And so is a server that goes away while SQLAlchemy prepares a new connection, which it does without
    telling whoever listens for errors.
    """

    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except AWAY as failure:
            raise database_unavailable() from failure

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return super()._do_get()
        except PoolTimeout as failure:
            raise database_unavailable() from failure


def create_engine(url: str, *, connections: int) -> AsyncEngine:
    async def connect() -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                url,
                timeout=_CONNECT_SECONDS,
                command_timeout=_COMMAND_SECONDS,
                server_settings={"transaction_timeout": f"{TRANSACTION_SECONDS}s"},
            )
        except AWAY as failure:
            raise database_unavailable() from failure

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        poolclass=_Pool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=ACQUIRE_SECONDS,
        pool_pre_ping=True,
        pool_recycle=_LIFE_SECONDS,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "handle_error", _translate)
    engine.dialect.do_ping = _is_alive  # type: ignore[assignment]
    map_entities()
    return engine


def _is_alive(connection: DBAPIConnection) -> bool:
    """Ask a connection before it is used again, in one round trip: SQLAlchemy's own question takes three."""
    try:
        cast("AdaptedConnection", connection).run_async(lambda driver: driver.execute("SELECT"))
    except TimeoutError:
        raise  # the pool says so
    except AWAY:
        return False
    return True


def _translate(context: ExceptionContext) -> None:
    if context.is_pre_ping:
        return  # the pool replaces the connection, and nobody need hear of it
    original = context.original_exception
    if not isinstance(original, Exception):
        return  # whoever is cancelled must hear that, not that the connection was dropped for it
    cause = getattr(original, "__cause__", None) or original
    if isinstance(cause, TimeoutError | asyncpg.ReadOnlySQLTransactionError):
        # So that one that is mute is not asked to roll back, which takes as long again; and that nobody is kept with a
        # server that stands by for good, while another has taken its place.
        context.is_disconnect = True
    if context.is_disconnect or isinstance(cause, AWAY):
        raise database_unavailable() from original


def create_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


@asynccontextmanager
async def open_session(sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """A session; what it did not commit by the end of the block has not happened.

    A server that has gone away took that along: whoever asked for something has heard of it, and nothing is left to do.
    """
    session = sessions()
    try:
        yield session
    finally:
        with suppress(Unavailable):
            await session.close()


Observe = Callable[[float], object]
"""Is told how many seconds something took."""


def unobserved(_: float) -> None:
    """For those whose seconds nobody counts."""


class StatementPool:
    """Bare connections, for statements that each stand alone. Every failure to reach the server is `Unavailable`."""

    def __init__(self, connections: Connections, observe: Observe = unobserved) -> None:
        self._connections = connections
        self._observe = observe

    async def fetch(self, query: str, *args: object, seconds: float = _COMMAND_SECONDS) -> list[asyncpg.Record]:
        """The rows; `seconds` is how long the statement may take."""
        began = perf_counter()
        try:
            return await self._fetch(query, args, seconds)
        except AWAY as failure:
            raise database_unavailable() from failure
        finally:
            self._observe(perf_counter() - began)

    async def _fetch(self, query: str, args: tuple[object, ...], seconds: float) -> list[asyncpg.Record]:
        connection = await self._connections.acquire()
        is_fit = False
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *args, timeout=seconds)
            is_fit = True
        except asyncpg.PostgresError as refusal:
            is_fit = not isinstance(refusal, AWAY)  # else the server waits for what comes next
            raise
        finally:
            self._connections.release(connection, is_fit=is_fit)
        return rows


class ReadPool(StatementPool):
    """Connections for readers."""

    async def fetchrow(self, query: str, *args: object, seconds: float = _COMMAND_SECONDS) -> asyncpg.Record | None:
        rows = await self.fetch(query, *args, seconds=seconds)
        return rows[0] if rows else None


@asynccontextmanager
async def open_read_pool(
    url: str, *, connections: int, by_key: bool = False, observe: Observe = unobserved
) -> AsyncIterator[ReadPool]:
    """Open a pool that connects on first use, so that a process starts while the database is away."""
    async with open_connections(url, most=connections, server_settings=BY_KEY if by_key else None) as opened:
        yield ReadPool(opened, observe)


@asynccontextmanager
async def open_connections(
    url: str, *, most: int, server_settings: Mapping[str, str] | None = None
) -> AsyncIterator[Connections]:
    """Bare connections, made on first use."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_COMMAND_SECONDS,
            server_settings=dict(server_settings) if server_settings else None,
        )

    connections = Connections(connect, most)
    try:
        yield connections
    finally:
        await connections.close()
