from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from application.actor import Actor
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of
from application.users.ports import EVERYBODY, UserEntry, UserFilter, UserRecords
from domain.texts import one_line


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
        only = replace(query.only, search=one_line(query.only.search or "") or None)
        users = await self.records.users(before=id_in(query.cursor), limit=query.limit + 1, only=only)
        return page_of(users, query.limit)
