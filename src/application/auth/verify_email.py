from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.mailed_tokens import digest_of
from application.auth.ports import LoginThrottle, RegistrationRepository, UserRepository
from application.auth.proved_address import ProvedAddress
from application.auth.sign_in import SignIn
from application.auth.tokens import TokenPair
from application.ports import UnitOfWork
from domain.errors import Invalid
from domain.sessions import SignInMethod


class VerifyEmail(Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(min_length=1, max_length=512)]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEmailHandler:
    """Use a mailed link: the user comes to be, gets the free credits once, and is signed in.

    Where the link of another sign-up of the address was withheld, a stranger may have used up the mails: the owner is
    in, and nobody's password is trusted.
    """

    users: UserRepository
    registrations: RegistrationRepository
    proved: ProvedAddress
    throttle: LoginThrottle
    sign_in: SignIn
    uow: UnitOfWork

    async def __call__(self, command: VerifyEmail, actor: Actor) -> TokenPair:
        registration = await self.registrations.claim(digest_of(command.token))
        now = await self.uow.now()
        known = await self.users.by_email(registration.email) if registration else None
        if registration is None or registration.expired(now) or (known is not None and known.is_verified):
            raise Invalid("token_invalid", "This link has been used or has expired.", field="token")
        user = await self.proved.account(registration, known, now)
        tokens = await self.sign_in.begin(user, actor.client, SignInMethod.LINK, now)
        await self.uow.commit()
        await self.throttle.recognise(user.email, actor.client.ip)
        return tokens
