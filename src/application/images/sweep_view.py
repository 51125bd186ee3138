from dataclasses import dataclass

import structlog
from msgspec import Struct

from application.actor import Actor
from application.images.ports import ImageRepository
from application.images.settlement import Settlement
from application.ports import UnitOfWork
from domain.views import RenderPolicy

log = structlog.get_logger()


class SweepView(Struct, frozen=True):
    view_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepViewHandler:
    """End a view that is past its deadline, and announce again one that waits with nobody on it."""

    images: ImageRepository
    settlement: Settlement
    uow: UnitOfWork
    policy: RenderPolicy

    async def __call__(self, command: SweepView, actor: Actor) -> None:
        found = await self.images.claim(command.view_id)
        if found is None:
            return
        image, render = found
        change = image.expire(render, await self.uow.now(), self.policy)
        for view in change.ended:
            log.warning("view_expired", view_id=view.id, error=view.error)
        await self.settlement.settle(change)
        await self.uow.commit()
