from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of
from application.payments.records import EventItem, PurchaseRecords


class ListEvents(Struct, frozen=True):
    quarantined: bool = True
    """Only those that an operator has to look at."""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEventsHandler:
    """The payment provider's events, for operators, newest first."""

    records: PurchaseRecords

    async def __call__(self, query: ListEvents, actor: Actor) -> Page[EventItem]:
        actor.require_operator()
        events = await self.records.events(
            quarantined=query.quarantined, before=id_in(query.cursor), limit=query.limit + 1
        )
        return page_of(events, query.limit)
