from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.payments.records import EventRecord, PurchaseRecords
from domain.errors import NotFound


class ShowEvent(Struct, frozen=True):
    event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowEventHandler:
    """One event of the payment provider, for operators, as it came."""

    records: PurchaseRecords

    async def __call__(self, query: ShowEvent, actor: Actor) -> EventRecord:
        actor.require_operator()
        event = await self.records.event(query.event_id)
        if event is None:
            raise NotFound("not_found", "There is no such event.")
        return event
