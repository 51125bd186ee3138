from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.payments.bookkeeping import Bookkeeping
from application.payments.ports import Finding, PaymentEvent, PaymentEvents, Verdict
from application.payments.verdicts import Verdicts
from application.ports import UnitOfWork
from domain.transactions import Mismatch


class ReceiveWebhook(Struct, frozen=True):
    event: PaymentEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveWebhookHandler:
    """Keep a signed event of the payment provider and do what follows from it, once and in one transaction."""

    events: PaymentEvents
    books: Bookkeeping
    verdicts: Verdicts
    uow: UnitOfWork

    async def __call__(self, command: ReceiveWebhook, actor: Actor) -> Verdict | None:
        """What became of it; None when it had come before."""
        event_id = await self.events.add(command.event)
        if event_id is None:
            return None
        finding = await self._finding(command.event)
        await self.verdicts.settle(event_id, finding)
        await self.uow.commit()
        return finding.verdict

    async def _finding(self, event: PaymentEvent) -> Finding:
        if not event.readable:
            return Finding(Verdict.QUARANTINED, Mismatch.UNREADABLE)
        return Finding(Verdict.IGNORED) if event.report is None else await self.books.enter(event.report)
