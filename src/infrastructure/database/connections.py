"""Connections of bare asyncpg, lent to one user at a time: docs/decisions/0030-own-connections.md says why."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

ACQUIRE_SECONDS = 4.0
_IDLE_SECONDS = 200.0
"""Before a firewall or load balancer on the way has forgotten a connection, without telling either end."""
_PARTING_SECONDS = 1.0

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class Connections:
    """So many connections at most, each made when none is idle.

    Whoever takes one gives it back in any case, fit to be used again or not; there is nothing to be awaited in that, so
    nobody can be cancelled amid it. One that has died while it was idle is noticed when its turn comes, and replaced.
    """

    def __init__(self, connect: Connect, most: int) -> None:
        self._connect = connect
        self._places = asyncio.Semaphore(most)
        self._idle: list[tuple[asyncpg.Connection, float]] = []
        """With the time since when, the last one used last. It is used first, so that a load that falls leaves some to
        grow old."""
        self._parting: set[asyncio.Task[None]] = set()
        self._is_open = True

    async def acquire(self) -> asyncpg.Connection:
        """Wait in turn for a connection; `TimeoutError` after `ACQUIRE_SECONDS`, or what connecting raises."""
        if self._places.locked():
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await self._places.acquire()
        else:
            await self._places.acquire()
        try:
            return self._take_idle() or await self._connect()
        except BaseException:
            self._places.release()
            raise

    def release(self, connection: asyncpg.Connection, *, is_fit: bool = True) -> None:
        """Give a connection back. One that is not fit, for its state is unknown, is closed and not lent again."""
        if connection.is_closed():
            self._places.release()
        elif is_fit and self._is_open and not connection.is_in_transaction():
            self._keep(connection)
            self._places.release()
        else:
            parting = asyncio.create_task(self._clear_place(connection))
            self._parting.add(parting)
            parting.add_done_callback(self._parting.discard)

    def forget_idle(self) -> None:
        """Have everybody who comes from now on connect anew."""
        for connection, _ in self._idle:
            connection.terminate()
        self._idle.clear()

    async def close(self) -> None:
        """Take leave of the server. What is still lent is closed when it is given back."""
        self._is_open = False
        idle, self._idle = self._idle, []
        await asyncio.gather(*self._parting, *(part_with(connection) for connection, _ in idle))

    def _take_idle(self) -> asyncpg.Connection | None:
        oldest = asyncio.get_running_loop().time() - _IDLE_SECONDS
        while self._idle:
            connection, since = self._idle.pop()
            if since >= oldest and not connection.is_closed():
                return connection
            connection.terminate()
        return None

    def _keep(self, connection: asyncpg.Connection) -> None:
        now = asyncio.get_running_loop().time()
        while self._idle and self._idle[0][1] < now - _IDLE_SECONDS:
            self._idle.pop(0)[0].terminate()
        self._idle.append((connection, now))

    async def _clear_place(self, connection: asyncpg.Connection) -> None:
        """Keep its place until it is closed, for until then the server has it too."""
        try:
            await part_with(connection)
        finally:
            self._places.release()


async def part_with(connection: asyncpg.Connection) -> None:
    """Have the server stop what it may still be at, and close; one that does not answer within a second is cut off."""
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        await connection.close(timeout=_PARTING_SECONDS)
