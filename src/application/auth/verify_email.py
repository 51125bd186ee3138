from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, NewType

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import RegistrationRepository, SignupGrants, UserRepository
from application.auth.sign_in import SignIn
from application.auth.tokens import TokenPair
from application.credits.ports import CreditAccounts
from application.ports import UnitOfWork
from domain.credits import Cause
from domain.errors import Invalid
from domain.sessions import SignInMethod
from domain.users import mailbox

FreeCredits = NewType("FreeCredits", int)
"""What a new customer gets, once."""


class VerifyEmail(Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(min_length=1, max_length=512)]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEmailHandler:
    """Use a mailed link: the user comes to be, gets the free credits once, and is signed in.

    Every other sign-up of the address is void from then on.
    """

    users: UserRepository
    registrations: RegistrationRepository
    grants: SignupGrants
    accounts: CreditAccounts
    sign_in: SignIn
    uow: UnitOfWork
    free_credits: FreeCredits

    async def __call__(self, command: VerifyEmail, actor: Actor) -> TokenPair:
        registration = await self.registrations.claim(sha256(command.token.encode("utf-8", "replace")).digest())
        now = await self.uow.now()
        if registration is None or registration.expired(now) or await self.users.by_email(registration.email):
            raise Invalid("token_invalid", "This link has been used or has expired.", field="token")
        user = registration.verify(now)
        await self.users.add(user)
        await self.registrations.void_all(user.email)
        await self.uow.flush()
        if self.free_credits and await self.grants.claim(mailbox(user.email)):
            await self.accounts.record(user.id, self.free_credits, Cause.SIGNUP, natural_key=f"signup:{user.id}")
        tokens = await self.sign_in.begin(user, actor.client, SignInMethod.LINK, now)
        await self.uow.commit()
        return tokens
