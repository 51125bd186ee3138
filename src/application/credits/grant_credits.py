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


class GrantCredits(Struct, frozen=True):
    user: str
    """An address or an id."""
    amount: Annotated[int, Meta(ge=1, le=100_000)]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCreditsHandler:
    """An operator gives credits, under a name and for a reason."""

    users: UserRepository
    accounts: CreditAccounts
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: GrantCredits, actor: Actor) -> Balance:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        user = await user_named(self.users, command.user)
        await self.accounts.record(
            user.id, command.amount, Cause.GRANT, natural_key=f"grant:{uuid4()}", reason=reason, operator=operator
        )
        await self.audit.note(
            operator, "credits.grant", f"user:{user.id}", reason=reason, details={"amount": command.amount}
        )
        balance = await self.accounts.balance(user.id)
        await self.uow.commit()
        return balance
