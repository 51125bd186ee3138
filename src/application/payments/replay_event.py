from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog
from application.payments.bookkeeping import Bookkeeping
from application.payments.one_purchase import claim_event
from application.payments.ports import Finding, PaymentEvents, Verdict
from application.ports import UnitOfWork
from domain.errors import Conflict


class ReplayEvent(Struct, frozen=True):
    event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayEventHandler:
    """Enter a kept event into the books once more, as if it had just come: what it did before is not done again."""

    events: PaymentEvents
    books: Bookkeeping
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: ReplayEvent, actor: Actor) -> Finding:
        operator = actor.require_operator()
        event = await claim_event(self.events, command.event_id)
        if event.report is None or event.verdict is Verdict.RELEASED:
            raise Conflict("conflict", f"There is nothing to replay of an event that is {event.verdict}.")
        finding = await self.books.enter(event.report)
        await self.events.settle(event.id, finding)
        details = {"verdict": finding.verdict, "reason": finding.reason}
        await self.audit.note(operator, "payment.replay", f"event:{event.id}", details=details)
        await self.uow.commit()
        return finding
