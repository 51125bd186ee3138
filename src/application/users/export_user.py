from collections.abc import AsyncIterator
from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.users.belongings import Belongings, ExportedFile


class ExportUser(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportUserHandler:
    """Let customers take along everything that is kept about them."""

    belongings: Belongings

    async def __call__(self, query: ExportUser, actor: Actor) -> AsyncIterator[ExportedFile]:
        return await self.belongings.of(actor.require_user(), session_id=actor.session_id)
