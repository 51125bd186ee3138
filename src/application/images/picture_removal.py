import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from msgspec.structs import replace

from application.events import AccountErased, ImageDeleted
from application.images.ports import PictureStorage
from application.ports import Outbox, UnitOfWork

UNTIL_NOBODY_WRITES = timedelta(minutes=5)
"""Longer than a worker may take over one job, or the API over one upload."""
_SIDE_BY_SIDE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRemoval:
    """Remove pictures that went with an account or a try-on, and see to it that somebody looks once more.

    A worker may be storing one of them at this very moment. So the event is announced again, as the last, for a time
    when nobody can be doing that any more.
    """

    storage: PictureStorage
    outbox: Outbox
    uow: UnitOfWork

    async def remove(self, keys: Iterable[str], event: AccountErased | ImageDeleted) -> None:
        """Call it outside a transaction, and commit afterwards. Raises `Unavailable` when storage is away."""
        at_once = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def delete(key: str) -> None:
            async with at_once:
                await self.storage.delete(key)

        await asyncio.gather(*(delete(key) for key in keys))
        if not event.last:
            self.outbox.add(replace(event, last=True), not_before=await self.uow.now() + UNTIL_NOBODY_WRITES)
