"""The transaction of a handler, of SQLAlchemy or of bare asyncpg: adapters that speak SQL work on either."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import Any, Protocol

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from infrastructure.database.engine import (
    ACQUIRE_SECONDS,
    AWAY,
    BY_KEY,
    DROP_SECONDS,
    TRANSACTION_SECONDS,
    Observe,
    StatementPool,
    database_unavailable,
    open_pool,
    unobserved,
)

_SETTINGS = {"transaction_timeout": f"{TRANSACTION_SECONDS}s", **BY_KEY}

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
        self, pool: asyncpg.Pool, *, statement: Observe = unobserved, transaction: Observe = unobserved
    ) -> None:
        """Who is told what a statement, and what a transaction took."""
        super().__init__(pool, statement)
        self._transaction = transaction

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction; what it did not commit by the end of the block has not happened."""
        transaction = PooledTransaction(self._pool, self._transaction)
        try:
            yield transaction
        finally:
            await transaction.rollback()


class PooledTransaction(Transaction):
    """On a connection of its own, held from the first statement to the end; afterwards another may begin."""

    def __init__(self, pool: asyncpg.Pool, observe: Observe) -> None:
        self._pool = pool
        self._observe = observe
        self._began = 0.0
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        if self._connection is None:
            self._began = perf_counter()
            self._connection = await self._begin()
        try:
            return await self._connection.fetch(query, *args)  # type: ignore[no-any-return]
        except AWAY as failure:
            if isinstance(failure, TimeoutError):
                await _drop(self._connection)
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
                await _drop(self._connection)
            raise database_unavailable() from failure
        finally:
            await self._release()
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
            await self._release()

    async def _begin(self) -> asyncpg.Connection:
        """Take a connection. One that has died meanwhile shows it here, before anything was done, and is replaced.

        One that says nothing is not: the next would say as much.
        """
        try:
            return await self._try_to_begin()
        except TimeoutError as failure:
            raise database_unavailable() from failure
        except AWAY:
            await self._pool.expire_connections()  # those beside it will have died with it
        try:
            return await self._try_to_begin()
        except AWAY as failure:
            raise database_unavailable() from failure

    async def _try_to_begin(self) -> asyncpg.Connection:
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        except AWAY as failure:
            raise database_unavailable() from failure
        try:
            await connection.execute("BEGIN")
        except BaseException:
            await self._pool.release(connection, timeout=DROP_SECONDS)
            raise
        return connection

    async def _release(self) -> None:
        """Give the connection back. One that fails even at that has ended, and changes nothing of what is known."""
        connection, self._connection = self._connection, None
        self._observe(perf_counter() - self._began)
        with suppress(*AWAY):
            await self._pool.release(connection)


async def _drop(connection: asyncpg.Connection) -> None:
    """Give up a connection of which nothing was heard; a server that lives is told to stop what it does there."""
    with suppress(*AWAY):
        await connection.close(timeout=DROP_SECONDS)


@asynccontextmanager
async def open_write_pool(
    url: str, *, connections: int, statement: Observe = unobserved, transaction: Observe = unobserved
) -> AsyncIterator[WritePool]:
    """Connections that are made on first use, so that a process starts while the database is away."""
    async with open_pool(url, connections=connections, server_settings=_SETTINGS) as pool:
        yield WritePool(pool, statement=statement, transaction=transaction)
