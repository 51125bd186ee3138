from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.credits.ports import LedgerItem, LedgerReader
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of


class ListHistory(Struct, frozen=True):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHistoryHandler:
    """Every credit that came or went, newest first."""

    ledger: LedgerReader

    async def __call__(self, query: ListHistory, actor: Actor) -> Page[LedgerItem]:
        owner = actor.require_user()
        items = await self.ledger.history(owner, before=id_in(query.cursor), limit=query.limit + 1)
        return page_of(items, query.limit)
