from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.credits.ports import Balance, LedgerReader
from domain.errors import NotFound


class GetBalance(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class GetBalanceHandler:
    """The customer's credits: all, reserved for work in progress, frozen by disputes, and free to spend."""

    ledger: LedgerReader

    async def __call__(self, query: GetBalance, actor: Actor) -> Balance:
        balance = await self.ledger.balance(actor.require_user())
        if balance is None:
            raise NotFound("user_not_found", "There is no such user.")
        return balance
