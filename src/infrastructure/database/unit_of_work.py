"""The one transaction of a handler."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from application.ports import UnitOfWork
from infrastructure.database.outbox import Doorbell, SqlOutbox
from infrastructure.database.progress_log import ProgressLog


class SqlUnitOfWork(UnitOfWork):
    """Commits the session with its outbox rows and the try-ons' logs, then rings the bells for them."""

    def __init__(self, session: AsyncSession, outbox: SqlOutbox, doorbell: Doorbell, progress: ProgressLog) -> None:
        self._session = session
        self._outbox = outbox
        self._doorbell = doorbell
        self._progress = progress

    async def now(self) -> datetime:
        return (await self._session.execute(select(func.now()))).scalar_one()

    async def flush(self) -> None:
        await self._session.flush()

    async def commit(self) -> None:
        await self._session.flush()
        grown = await self._progress.write()
        rows = await self._outbox.write()
        await self._session.commit()
        self._progress.announce(grown)
        if rows:
            self._doorbell.ring(rows)

    async def rollback(self) -> None:
        self._outbox.clear()
        self._progress.clear()
        await self._session.rollback()
