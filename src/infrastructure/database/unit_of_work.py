"""The one transaction of a handler."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from application.ports import UnitOfWork
from infrastructure.database.outbox import Doorbell, SqlOutbox


class SqlUnitOfWork(UnitOfWork):
    """Commits the session with its outbox rows, then rings the bell for them."""

    def __init__(self, session: AsyncSession, outbox: SqlOutbox, doorbell: Doorbell) -> None:
        self._session = session
        self._outbox = outbox
        self._doorbell = doorbell

    async def now(self) -> datetime:
        return (await self._session.execute(select(func.now()))).scalar_one()

    async def flush(self) -> None:
        await self._session.flush()

    async def commit(self) -> None:
        await self._session.flush()
        rows = await self._outbox.write()
        await self._session.commit()
        if rows:
            self._doorbell.ring(rows)

    async def rollback(self) -> None:
        self._outbox.clear()
        await self._session.rollback()
