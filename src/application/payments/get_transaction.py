from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.payments.one_purchase import no_purchase
from application.payments.ports import TransactionItem, TransactionReader
from domain.identifiers import can_be_id


class GetTransaction(Struct, frozen=True):
    transaction_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GetTransactionHandler:
    """One of a customer's own purchases."""

    transactions: TransactionReader

    async def __call__(self, query: GetTransaction, actor: Actor) -> TransactionItem:
        owner, wanted = actor.require_user(), query.transaction_id
        transaction = await self.transactions.own(wanted, owner=owner) if can_be_id(wanted) else None
        if transaction is None:
            raise no_purchase()
        return transaction
