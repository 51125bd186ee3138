from dataclasses import dataclass

import structlog

from application.actor import Actor
from application.events import AccountErased
from application.images.picture_removal import PictureRemoval
from application.images.ports import ImageRepository
from application.images.settlement import Settlement
from application.ports import UnitOfWork
from application.users.ports import PersonalRecords

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseWorksHandler:
    """Cancel what an erased user had in progress, and remove their pictures, then their records.

    The records, which say where pictures are, go after the last look only. Raises `Unavailable` when storage is away:
    then all of it is done again.
    """

    images: ImageRepository
    records: PersonalRecords
    removal: PictureRemoval
    settlement: Settlement
    uow: UnitOfWork

    async def __call__(self, event: AccountErased, actor: Actor) -> None:
        # The log outlives the database: who restores an older one learns there whom to erase again.
        if not event.last:
            log.info("account_erased", user_id=event.user_id)
        for image_id in await self.records.open_images(event.user_id):
            await self._cancel(image_id)
        keys = await self.records.pictures(event.user_id)
        await self.uow.commit()
        await self.removal.remove(keys, event)
        if event.last:
            await self.records.forget_works(event.user_id)
        await self.uow.commit()

    async def _cancel(self, image_id: int) -> None:
        """In a transaction of its own, so that each is kept from workers for a moment only."""
        image = await self.images.by_id(image_id)
        if image is not None:
            await self.settlement.settle(image.cancel(await self.uow.now()))
        await self.uow.commit()
