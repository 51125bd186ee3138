from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog
from application.payments.ports import TransactionRepository
from application.payments.reconciliation import Reconciled, Reconciliation
from application.ports import UnitOfWork


class ReconcilePurchases(Struct, frozen=True):
    transaction_id: int | None = None
    """None: all that may yet be paid, or whose money may yet go back."""


class Reconciliations(Struct, frozen=True):
    asked: int
    changed: list[Reconciled]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilePurchasesHandler:
    """Have an operator ask the provider about purchases now, without waiting for the clock."""

    transactions: TransactionRepository
    reconciliation: Reconciliation
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: ReconcilePurchases, actor: Actor) -> Reconciliations:
        operator = actor.require_operator()
        one = command.transaction_id
        wanted = await self.transactions.open() if one is None else [one]
        await self.uow.commit()
        outcomes = [await self.reconciliation.of(transaction_id) for transaction_id in wanted]
        subject = "transactions" if one is None else f"transaction:{one}"
        await self.audit.note(operator, "payment.reconcile", subject, details={"asked": len(outcomes)})
        await self.uow.commit()
        changed = [outcome for outcome in outcomes if outcome.before is not outcome.after]
        return Reconciliations(len(outcomes), changed)
