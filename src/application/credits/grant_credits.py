from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import UserRepository
from application.credits.ports import Balance, CreditAccounts
from application.ports import UnitOfWork
from domain.credits import Cause
from domain.errors import Invalid, NotFound
from domain.users import User

_DIGITS = 18
"""Of an id, at most; a longer number is no id and, as an address, nobody's."""


class GrantCredits(Struct, frozen=True):
    user: str
    """An address or an id."""
    amount: Annotated[int, Meta(ge=1, le=100_000)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantCreditsHandler:
    """An operator gives credits, under a name and for a reason."""

    users: UserRepository
    accounts: CreditAccounts
    uow: UnitOfWork

    async def __call__(self, command: GrantCredits, actor: Actor) -> Balance:
        operator = actor.require_operator()
        if not command.reason.strip():
            raise Invalid("validation_failed", "Say why, for the records.", field="reason")
        user = await self._user(command.user)
        await self.accounts.record(
            user.id,
            command.amount,
            Cause.GRANT,
            natural_key=f"grant:{uuid4()}",
            reason=command.reason,
            operator=operator,
        )
        balance = await self.accounts.balance(user.id)
        await self.uow.commit()
        return balance

    async def _user(self, email_or_id: str) -> User:
        user = (
            await self.users.by_id(int(email_or_id))
            if email_or_id.isdecimal() and len(email_or_id) <= _DIGITS
            else await self.users.by_email(email_or_id.strip().lower())
        )
        if user is None:
            raise NotFound("user_not_found", f"There is no user {email_or_id}.")
        return user
