from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.users.account import read_user
from application.users.ports import UserDetails, UserFinder, UserRecords


class ShowUser(Struct, frozen=True):
    user: str
    """An address or an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowUserHandler:
    """Show an operator an account; of an erased one, which is found by its id, what is left."""

    finder: UserFinder
    records: UserRecords

    async def __call__(self, query: ShowUser, actor: Actor) -> UserDetails:
        actor.require_operator()
        return await read_user(self.records, await self.finder.id_of(query.user))
