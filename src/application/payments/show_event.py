from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.payments.one_purchase import no_event
from application.payments.records import EventRecord, PurchaseRecords
from domain.identifiers import can_be_id


class ShowEvent(Struct, frozen=True):
    event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowEventHandler:
    """One event of the payment provider, for operators, as it came."""

    records: PurchaseRecords

    async def __call__(self, query: ShowEvent, actor: Actor) -> EventRecord:
        actor.require_operator()
        event = await self.records.event(query.event_id) if can_be_id(query.event_id) else None
        if event is None:
            raise no_event()
        return event
