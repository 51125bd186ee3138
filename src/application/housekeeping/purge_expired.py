from dataclasses import dataclass

import structlog
from msgspec import Struct, to_builtins
from msgspec.structs import replace

from application.actor import Actor
from application.events import PictureDiscarded
from application.housekeeping.ports import ExpiredRecords, Purged, UnneededFiles
from application.ports import Outbox, UnitOfWork

log = structlog.get_logger()

FILES_AT_ONCE = 500


class PurgeExpired(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeExpiredHandler:
    """Remove what has expired and means nothing any more. Safe to run at any time, by several at once.

    Files follow their rows by the worker, which waits for a storage that is away: those that were announced a day ago
    and never recorded, and photos of 30 days that no try-on shows.
    """

    records: ExpiredRecords
    files: UnneededFiles
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: PurgeExpired, actor: Actor) -> Purged:
        purged = await self.records.purge()
        forgotten = await self.files.forgotten(FILES_AT_ONCE)
        unused = await self.files.unused(FILES_AT_ONCE)
        for key in (*forgotten, *unused):
            self.outbox.add(PictureDiscarded(key))
        await self.uow.commit()
        more = purged.more or FILES_AT_ONCE in {len(forgotten), len(unused)}
        purged = replace(purged, files=len(forgotten) + len(unused), more=more)
        log.info("expired_purged", **to_builtins(purged))
        return purged
