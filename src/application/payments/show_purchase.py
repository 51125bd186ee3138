from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.payments.one_purchase import no_purchase
from application.payments.records import PurchaseRecords, PurchaseStory
from domain.identifiers import can_be_id


class ShowPurchase(Struct, frozen=True):
    transaction_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPurchaseHandler:
    """One purchase, for operators, with all that the provider told of it."""

    records: PurchaseRecords

    async def __call__(self, query: ShowPurchase, actor: Actor) -> PurchaseStory:
        actor.require_operator()
        story = await self.records.story(query.transaction_id) if can_be_id(query.transaction_id) else None
        if story is None:
            raise no_purchase()
        return story
