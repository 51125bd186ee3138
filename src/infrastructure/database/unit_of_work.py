"""The one transaction of a handler."""

from datetime import datetime

from application.ports import UnitOfWork
from infrastructure.database.outbox import Doorbell, SqlOutbox
from infrastructure.database.progress_log import ProgressLog
from infrastructure.database.tally import Tally
from infrastructure.database.transaction import Transaction
from infrastructure.database.try_ons import SqlTryOns


class SqlUnitOfWork(UnitOfWork):
    """Commits what was decided about try-ons, their logs and the outbox together; then counts, and rings the bells."""

    def __init__(
        self,
        transaction: Transaction,
        try_ons: SqlTryOns,
        outbox: SqlOutbox,
        doorbell: Doorbell,
        progress: ProgressLog,
        tally: Tally,
    ) -> None:
        self._transaction = transaction
        self._try_ons = try_ons
        self._outbox = outbox
        self._doorbell = doorbell
        self._progress = progress
        self._tally = tally

    async def now(self) -> datetime:
        (row,) = await self._transaction.fetch("SELECT now() AS now")
        now: datetime = row["now"]
        return now

    async def flush(self) -> None:
        await self._transaction.flush()
        await self._try_ons.flush()

    async def commit(self) -> None:
        await self.flush()
        changes = self._try_ons.take_changes()
        grown = await self._progress.write(changes)
        is_due = await self._outbox.write(self._try_ons.origin())
        await self._transaction.commit()
        self._try_ons.forget()
        self._tally.count(changes)
        self._progress.announce(grown)
        if is_due:
            self._doorbell.ring()

    async def rollback(self) -> None:
        self._outbox.clear()
        self._tally.forget()
        self._try_ons.forget()
        await self._transaction.rollback()
