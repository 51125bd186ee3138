from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.credits.ports import LedgerRecords, OperatorLedgerItem
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of
from application.users.ports import UserFinder


class ShowHistory(Struct, frozen=True):
    user: str
    """An address or an id."""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowHistoryHandler:
    """Show an operator every credit of a customer that came or went, newest first, with who did it and why."""

    users: UserFinder
    ledger: LedgerRecords

    async def __call__(self, query: ShowHistory, actor: Actor) -> Page[OperatorLedgerItem]:
        actor.require_operator()
        user_id = await self.users.id_of(query.user)
        items = await self.ledger.records(user_id, before=id_in(query.cursor), limit=query.limit + 1)
        return page_of(items, query.limit)
