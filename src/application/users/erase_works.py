import asyncio
from dataclasses import dataclass
from datetime import timedelta

from application.actor import Actor
from application.events import AccountErased
from application.images.ports import ImageRepository, PictureStorage
from application.images.settlement import Settlement
from application.ports import Outbox, UnitOfWork
from application.users.ports import PersonalRecords

_UNTIL_NOBODY_WRITES = timedelta(minutes=5)
"""Longer than a worker may take over one job, or the API over one upload."""
_SIDE_BY_SIDE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseWorksHandler:
    """Cancel what an erased user had in progress, and remove their pictures, then their records.

    A worker may be storing a picture at this very moment. So the records, which say where pictures are, go minutes
    later, after another look. Raises `Unavailable` when storage is away: then all of it is done again.
    """

    images: ImageRepository
    records: PersonalRecords
    storage: PictureStorage
    settlement: Settlement
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, event: AccountErased, actor: Actor) -> None:
        for image_id in await self.records.open_images(event.user_id):
            await self._cancel(image_id)
        keys = await self.records.pictures(event.user_id)
        await self.uow.commit()
        at_once = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def remove(key: str) -> None:
            async with at_once:
                await self.storage.delete(key)

        await asyncio.gather(*(remove(key) for key in keys))
        if event.last:
            await self.records.forget_works(event.user_id)
        else:
            later = await self.uow.now() + _UNTIL_NOBODY_WRITES
            self.outbox.add(AccountErased(event.user_id, last=True), not_before=later)
        await self.uow.commit()

    async def _cancel(self, image_id: int) -> None:
        """In a transaction of its own, so that each is kept from workers for a moment only."""
        image = await self.images.by_id(image_id)
        if image is not None:
            await self.settlement.settle(image.cancel(await self.uow.now()))
        await self.uow.commit()
