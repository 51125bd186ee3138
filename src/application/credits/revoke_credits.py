from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from msgspec import Meta, Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.auth.ports import UserRepository
from application.credits.ports import Balance, CreditAccounts
from application.ports import UnitOfWork
from application.users.named_user import user_named
from domain.credits import Cause
from domain.errors import Conflict


class RevokeCredits(Struct, frozen=True):
    user: str
    """An address or an id."""
    amount: Annotated[int, Meta(ge=1, le=100_000)]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeCreditsHandler:
    """An operator takes credits back, under a name and for a reason: such as are free, never those of work in progress.

    Raises `Conflict` when fewer are available. Only a refund or a lost dispute leaves a balance below zero.
    """

    users: UserRepository
    accounts: CreditAccounts
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: RevokeCredits, actor: Actor) -> Balance:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        user = await user_named(self.users, command.user)
        await self.accounts.record(
            user.id, -command.amount, Cause.REVOKE, natural_key=f"revoke:{uuid4()}", reason=reason, operator=operator
        )
        balance = await self.accounts.balance(user.id)
        if balance.credits_available < 0:
            free = balance.credits_available + command.amount
            raise Conflict("conflict", f"Only {max(0, free)} credits of this customer are available.")
        await self.audit.note(
            operator, "credits.revoke", f"user:{user.id}", reason=reason, details={"amount": command.amount}
        )
        await self.uow.commit()
        return balance
