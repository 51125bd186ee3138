from dataclasses import dataclass

import structlog
from msgspec import Struct, to_builtins

from application.actor import Actor
from application.housekeeping.ports import ExpiredRecords, Purged
from application.ports import UnitOfWork

log = structlog.get_logger()


class PurgeExpired(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeExpiredHandler:
    """Remove what has expired and means nothing any more. Safe to run at any time, by several at once."""

    records: ExpiredRecords
    uow: UnitOfWork

    async def __call__(self, command: PurgeExpired, actor: Actor) -> Purged:
        purged = await self.records.purge()
        await self.uow.commit()
        log.info("expired_purged", **to_builtins(purged))
        return purged
