from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of
from application.payments.records import PurchaseFilter, PurchaseRecords, TransactionRecord
from application.users.ports import UserFinder
from domain.transactions import TransactionStatus


class ListPurchases(Struct, frozen=True):
    status: TransactionStatus | None = None
    user: str | None = None
    """An address or an id."""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPurchasesHandler:
    """Everybody's purchases, for operators, newest first."""

    users: UserFinder
    records: PurchaseRecords

    async def __call__(self, query: ListPurchases, actor: Actor) -> Page[TransactionRecord]:
        actor.require_operator()
        user_id = await self.users.id_of(query.user) if query.user is not None else None
        wanted = PurchaseFilter(query.status, user_id)
        return page_of(
            await self.records.latest(wanted, before=id_in(query.cursor), limit=query.limit + 1), query.limit
        )
