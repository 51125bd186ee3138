from dataclasses import dataclass
from typing import NewType

from application.auth.ports import SignupGrants
from application.credits.ports import CreditAccounts
from domain.credits import Cause
from domain.users import User, mailbox

FreeCreditsAmount = NewType("FreeCreditsAmount", int)
"""What a new customer gets, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeCredits:
    """What comes with the first proof of an address, by whichever way it was proved: once per user and mailbox."""

    grants: SignupGrants
    accounts: CreditAccounts
    amount: FreeCreditsAmount

    async def give(self, user: User) -> None:
        if self.amount and await self.grants.claim(mailbox(user.email)):
            await self.accounts.record(user.id, self.amount, Cause.SIGNUP, natural_key=f"signup:{user.id}")
