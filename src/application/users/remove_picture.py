from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import UserRepository
from application.events import PictureDiscarded
from application.ports import Outbox, UnitOfWork
from application.users.account import claim_account


class RemovePicture(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePictureHandler:
    """Show no picture of a customer any more, and remove its file. Without a picture there is nothing to do."""

    users: UserRepository
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: RemovePicture, actor: Actor) -> None:
        user = await claim_account(self.users, actor.require_user())
        former = user.show_picture(None)
        if former is not None:
            self.outbox.add(PictureDiscarded(former))
        await self.uow.commit()
