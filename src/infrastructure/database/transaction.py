"""The transaction of a handler, of SQLAlchemy or of bare asyncpg: adapters that speak SQL work on either."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, Protocol

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from infrastructure.database.connections import Connections, part_with
from infrastructure.database.engine import (
    AWAY,
    BY_KEY,
    TRANSACTION_SECONDS,
    Observe,
    StatementPool,
    database_unavailable,
    open_connections,
    unobserved,
)

IDLE_SECONDS = 5
"""So long a transaction may say nothing until the server ends it: its statements follow one another at once, and one
that is silent for longer stands still, and keeps from its rows whoever needs them."""
_SETTINGS = {
    "transaction_timeout": f"{TRANSACTION_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    **BY_KEY,
}

Row = Mapping[str, Any]


class Transaction(Protocol):
    """Begun by the first statement. Calls raise `Unavailable` when the database cannot be reached."""

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        """Run a statement with asyncpg's placeholders (`$1`), and return its rows."""
        ...

    async def flush(self) -> None:
        """Write what is pending elsewhere than in statements."""
        ...

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...


class SessionTransaction(Transaction):
    """The one that a session's entities are written in."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        connection = await self._session.connection()
        result = await connection.exec_driver_sql(query, args)
        return [*result.mappings()] if result.returns_rows else []

    async def flush(self) -> None:
        await self._session.flush()

    async def commit(self) -> None:
        await self._session.commit()

    async def rollback(self) -> None:
        await self._session.rollback()


class WritePool(StatementPool):
    """Connections without SQLAlchemy, for what happens many times a second."""

    def __init__(
        self, connections: Connections, *, statement: Observe = unobserved, transaction: Observe = unobserved
    ) -> None:
        """Who is told what a statement, and what a transaction took."""
        super().__init__(connections, statement)
        self._transaction = transaction

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction; what it did not commit by the end of the block has not happened."""
        transaction = PooledTransaction(self._connections, self._transaction)
        try:
            yield transaction
        finally:
            await transaction.rollback()


class PooledTransaction(Transaction):
    """On a connection of its own, held from the first statement to the end; afterwards another may begin."""

    def __init__(self, connections: Connections, observe: Observe) -> None:
        self._connections = connections
        self._observe = observe
        self._began = 0.0
        self._connection: asyncpg.Connection | None = None
        self._is_fit = True

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        if self._connection is None:
            self._began = perf_counter()
            self._connection = await self._begin()
        try:
            return await self._connection.fetch(query, *args)  # type: ignore[no-any-return]
        except AWAY as failure:
            self._is_fit = False
            if isinstance(failure, TimeoutError):
                await part_with(self._connection)
            raise database_unavailable() from failure

    async def flush(self) -> None:
        """Every statement was sent at once."""

    async def commit(self) -> None:
        if self._connection is None:
            return
        try:
            done = await self._connection.execute("COMMIT")
        except AWAY as failure:
            if isinstance(failure, TimeoutError):
                await part_with(self._connection)
            raise database_unavailable() from failure
        finally:
            self._release()
        if done != "COMMIT":  # what PostgreSQL makes of it when a statement has failed
            raise RuntimeError("The transaction was rolled back: one of its statements had failed.")

    async def rollback(self) -> None:
        if self._connection is None:
            return
        try:
            if not self._connection.is_closed():
                await self._connection.execute("ROLLBACK")
        except AWAY:
            return  # nobody is left to keep what it did
        finally:
            self._release()

    async def _begin(self) -> asyncpg.Connection:
        """Take a connection. One that has died meanwhile shows it here, before anything was done, and is replaced.

        One that says nothing is not: the next would say as much.
        """
        try:
            return await self._try_to_begin()
        except TimeoutError as failure:
            raise database_unavailable() from failure
        except AWAY:
            self._connections.forget_idle()  # those beside it will have died with it
        try:
            return await self._try_to_begin()
        except AWAY as failure:
            raise database_unavailable() from failure

    async def _try_to_begin(self) -> asyncpg.Connection:
        try:
            connection = await self._connections.acquire()
        except AWAY as failure:
            raise database_unavailable() from failure
        try:
            await connection.execute("BEGIN")
        except BaseException:
            self._connections.release(connection, is_fit=False)
            raise
        return connection

    def _release(self) -> None:
        """Give the connection back; it is not kept unless its transaction is known to have ended."""
        connection, self._connection = self._connection, None
        is_fit, self._is_fit = self._is_fit, True
        self._observe(perf_counter() - self._began)
        if connection is not None:
            self._connections.release(connection, is_fit=is_fit)


@asynccontextmanager
async def open_write_pool(
    url: str, *, connections: int, statement: Observe = unobserved, transaction: Observe = unobserved
) -> AsyncIterator[WritePool]:
    """Connections that are made on first use, so that a process starts while the database is away."""
    async with open_connections(url, most=connections, server_settings=_SETTINGS) as opened:
        yield WritePool(opened, statement=statement, transaction=transaction)
