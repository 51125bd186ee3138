from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of
from application.users.ports import EVERYBODY, UserEntry, UserFilter, UserRecords


class ListUsers(Struct, frozen=True):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    only: UserFilter = EVERYBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUsersHandler:
    """Show an operator all accounts, or some of them, newest first."""

    records: UserRecords

    async def __call__(self, query: ListUsers, actor: Actor) -> Page[UserEntry]:
        actor.require_operator()
        users = await self.records.users(before=id_in(query.cursor), limit=query.limit + 1, only=query.only)
        return page_of(users, query.limit)
