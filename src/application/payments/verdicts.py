"""Noting what became of the provider's events."""

from dataclasses import dataclass

from application.payments.ports import Finding, PaymentEvent, PaymentEvents, Verdict
from application.ports import Alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Notes findings, and tells operators of what only they can decide."""

    events: PaymentEvents
    alerts: Alerts

    async def settle(self, event_id: int, finding: Finding) -> None:
        await self.events.settle(event_id, finding)
        if finding.verdict is Verdict.QUARANTINED:
            self.alerts.alert("payment_quarantined", event_id=event_id, reason=finding.reason)

    async def keep(self, event: PaymentEvent, finding: Finding) -> None:
        """Keep an event with what became of it, unless it is kept already."""
        event_id = await self.events.add(event)
        if event_id is not None:
            await self.settle(event_id, finding)
