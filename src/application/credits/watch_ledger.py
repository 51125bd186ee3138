from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.credits.ports import LedgerAuditor
from application.ports import Alerts


class WatchLedger(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLedgerHandler:
    """Audit the ledger as `credits audit` does, and alert an operator when something is out of step.

    Answers how many accounts, views and payments are.
    """

    auditor: LedgerAuditor
    alerts: Alerts

    async def __call__(self, command: WatchLedger, actor: Actor) -> int:
        audit = await self.auditor.audit()
        out_of_step = len(audit.differences) + len(audit.holds_out_of_step) + len(audit.payments_out_of_step)
        if out_of_step:
            self.alerts.alert("books_do_not_add_up", out_of_step=out_of_step)
        return out_of_step
