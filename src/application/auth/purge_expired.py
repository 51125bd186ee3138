from dataclasses import dataclass

import structlog
from msgspec import Struct

from application.actor import Actor
from application.auth.ports import ExpiredRecords
from application.ports import UnitOfWork

log = structlog.get_logger()


class PurgeExpired(Struct, frozen=True):
    pass


class Purged(Struct, frozen=True):
    tokens: int
    """Blacklisted tokens that would be refused for their age alone."""
    links: int
    """Waiting sign-ups and password resets whose links have expired."""
    sessions: int
    answers: int
    """Kept answers of requests with an `Idempotency-Key`."""
    allowances: int
    """Counts of mails, and of free credits a day, that count no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeExpiredHandler:
    """Remove what has expired and means nothing any more. Safe to run at any time, by several at once."""

    records: ExpiredRecords
    uow: UnitOfWork

    async def __call__(self, command: PurgeExpired, actor: Actor) -> Purged:
        purged = Purged(
            tokens=await self.records.purge_tokens(),
            links=await self.records.purge_links(),
            sessions=await self.records.purge_sessions(),
            answers=await self.records.purge_answers(),
            allowances=await self.records.purge_allowances(),
        )
        await self.uow.commit()
        log.info("expired_purged", **{name: getattr(purged, name) for name in purged.__struct_fields__})
        return purged
