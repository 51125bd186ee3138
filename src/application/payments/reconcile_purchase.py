from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.payments.reconciliation import Reconciled, Reconciliation


class ReconcilePurchase(Struct, frozen=True):
    transaction_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilePurchaseHandler:
    """Ask the provider how one purchase stands: what a worker does by the clock."""

    reconciliation: Reconciliation

    async def __call__(self, command: ReconcilePurchase, actor: Actor) -> Reconciled:
        return await self.reconciliation.of(command.transaction_id)
