from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of
from application.payments.ports import TransactionItem, TransactionReader


class ListTransactions(Struct, frozen=True):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTransactionsHandler:
    """A customer's own purchases, newest first."""

    transactions: TransactionReader

    async def __call__(self, query: ListTransactions, actor: Actor) -> Page[TransactionItem]:
        owner = actor.require_user()
        items = await self.transactions.latest(owner, before=id_in(query.cursor), limit=query.limit + 1)
        return page_of(items, query.limit)
