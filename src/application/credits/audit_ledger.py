from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.credits.ports import LedgerAudit, LedgerAuditor


class AuditLedger(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLedgerHandler:
    """Add up every account from its entries and holds, and compare with the sums that are kept."""

    auditor: LedgerAuditor

    async def __call__(self, query: AuditLedger, actor: Actor) -> LedgerAudit:
        actor.require_operator()
        return await self.auditor.audit()
