from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.credits.ports import LedgerItem, LedgerReader
from application.pages import DEFAULT_LIMIT, Page, cursor_after, id_in


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
        more = len(items) > query.limit
        return Page(items[: query.limit], cursor_after(items[query.limit - 1].id) if more else None)
