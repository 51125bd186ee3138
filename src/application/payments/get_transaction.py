from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.payments.ports import TransactionItem, TransactionReader
from domain.errors import NotFound


class GetTransaction(Struct, frozen=True):
    transaction_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GetTransactionHandler:
    """One of a customer's own purchases."""

    transactions: TransactionReader

    async def __call__(self, query: GetTransaction, actor: Actor) -> TransactionItem:
        transaction = await self.transactions.own(query.transaction_id, owner=actor.require_user())
        if transaction is None:
            raise NotFound("transaction_not_found", "There is no such purchase.")
        return transaction
