"""Clerks who deal with money, each piece of work in a session of its own, and who commit only when they are let.

So two handlers can stand at any two of their commits, one can die there, and one can wait for a row that the other has.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from application.ports import UnitOfWork
from infrastructure.database.engine import create_sessions
from tests.counter import Counter, FakeAlerts
from tests.integration.database.stage import Desk, Stage
from tests.selling import FakePaymentProvider

Work = Callable[[Counter, Desk], Awaitable[object]]


class State(StrEnum):
    IDLE = "has nothing to do"
    HELD = "wants to commit, and is not let"
    WAITING = "waits for a row that another clerk has"


class HeldUnitOfWork(UnitOfWork):
    """Commits when it is let."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self.leave: asyncio.Future[None] | None = None
        """Whoever is held waits for this."""

    async def now(self) -> datetime:
        return await self._uow.now()

    async def flush(self) -> None:
        await self._uow.flush()

    async def hold(self) -> None:
        self.leave = asyncio.get_running_loop().create_future()
        try:
            await self.leave
        finally:
            self.leave = None

    async def commit(self) -> None:
        await self.hold()
        await self._uow.commit()

    async def rollback(self) -> None:
        await self._uow.rollback()


class Clerk:
    def __init__(self, stage: Stage, provider: FakePaymentProvider) -> None:
        self.alerts = FakeAlerts()
        self.state = State.IDLE
        self._stage = stage
        self._provider = provider
        self._sessions = create_sessions(stage.engine)
        self._connection: AsyncConnection | None = None
        self._server_process = 0
        self._uow: HeldUnitOfWork | None = None
        self._task: asyncio.Task[object] | None = None
        self._outcome: object = None

    async def begin(self, work: Work) -> None:
        """Do some work until it wants to commit, or has to wait for another clerk."""
        assert self._task is None, "one thing at a time"
        self._connection = await self._stage.engine.connect()
        self._server_process = (await self._connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await self._connection.rollback()
        desk = self._stage.desk_of(self._sessions(bind=self._connection))
        self._uow = HeldUnitOfWork(desk.uow)
        self._task = asyncio.create_task(self._do(work, desk, self._uow))
        await self.go_on()

    async def hold(self) -> None:
        """For work that shall stand still elsewhere than at a commit."""
        assert self._uow is not None
        await self._uow.hold()

    async def let(self) -> None:
        """Let the commit happen, and what follows until the next one."""
        assert self._uow is not None
        assert self._uow.leave is not None, "nothing of its own keeps it"
        self._uow.leave.set_result(None)
        await self.go_on()

    async def finish(self) -> object:
        """All that is left of the work; returns what came of it."""
        await self.go_on()
        while self._task is not None:
            await self.let()
        return self._outcome

    async def die(self) -> None:
        """The connection is cut: what was not committed has not happened."""
        if self._task is None or self._connection is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._connection.invalidate()
        await self._come_to_rest()

    async def go_on(self) -> None:
        """As far as it gets by itself."""
        while self._task is not None:
            if self._task.done():
                task = self._task
                await self._come_to_rest()
                self._outcome = task.result()
            elif self._uow is not None and self._uow.leave is not None and not self._uow.leave.done():
                self.state = State.HELD
                return
            elif await self._is_waiting():
                self.state = State.WAITING
                return
            else:
                await asyncio.sleep(0.001)

    async def _do(self, work: Work, desk: Desk, uow: UnitOfWork) -> object:
        async with desk.session:
            return await work(Counter(desk, self._provider, self.alerts, uow), desk)

    async def _is_waiting(self) -> bool:
        blocked = "SELECT cardinality(pg_blocking_pids($1)) > 0"
        return bool(await self._stage.database.fetchval(blocked, self._server_process))

    async def _come_to_rest(self) -> None:
        self._task, self.state = None, State.IDLE
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


@asynccontextmanager
async def clerk(stage: Stage, provider: FakePaymentProvider) -> AsyncIterator[Clerk]:
    made = Clerk(stage, provider)
    try:
        yield made
    finally:
        await made.die()


async def to_the_end(*clerks: Clerk) -> None:
    """Let everybody finish, whoever is named first going first wherever more than one could."""
    while True:
        for one in clerks:
            await one.go_on()
        held = [one for one in clerks if one.state is State.HELD]
        if not held:
            assert {one.state for one in clerks} == {State.IDLE}, "they wait for one another"
            return
        await held[0].let()
