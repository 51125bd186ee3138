from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import LoginThrottle, Passwords, RegistrationRepository, UserRepository
from application.auth.sign_in import SignIn
from application.auth.tokens import TokenPair
from application.ports import UnitOfWork
from domain.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from domain.sessions import SignInMethod
from domain.users import email_address


class LogIn(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=320)]
    password: Annotated[str, Meta(max_length=128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInHandler:
    """Sign in by password. That an address is unverified is told to nobody but who knows the sign-up's password.

    A sign-up may wait beside an account of the same address (somebody repeated it). Both passwords are tried, whatever
    is there, so that neither the answer nor its time tells which addresses have accounts.
    """

    users: UserRepository
    registrations: RegistrationRepository
    throttle: LoginThrottle
    passwords: Passwords
    sign_in: SignIn
    uow: UnitOfWork

    async def __call__(self, command: LogIn, actor: Actor) -> TokenPair:
        try:
            email = email_address(command.email)
        except Invalid:
            email = ""
        client_ip = actor.client.ip
        await self.throttle.admit(email or command.email, client_ip)
        try:
            user = await self.users.by_email(email)
            waiting = await self.registrations.latest_for(email)
            password_hash = user.password_hash if user and user.is_verified else None
            # Hashing takes tens of milliseconds: no transaction, and so no connection, is kept meanwhile.
            await self.uow.commit()
        except Unavailable:
            await self.throttle.withdraw(email or command.email, client_ip)
            raise
        matches = await self.passwords.verify(password_hash, command.password)
        waits = await self.passwords.verify(waiting.password_hash if waiting else None, command.password)
        if matches:
            await self.throttle.succeeded(email, client_ip)
        # A sign-up's password clears no failures: anybody can sign up with any address, and then know one.
        if waits and not matches:
            raise Forbidden("email_not_verified", "Please use the link we mailed you first.")
        if not matches or user is None or password_hash is None:
            raise _wrong()
        renewed = await self.passwords.hash(command.password) if self.passwords.outdated(password_hash) else None
        user = await self.users.claim(user.id)
        if user is None or user.password_hash != password_hash:
            raise _wrong()
        user.password_hash = renewed or password_hash
        tokens = await self.sign_in.begin(user, actor.client, SignInMethod.PASSWORD, await self.uow.now())
        await self.uow.commit()
        return tokens


def _wrong() -> Unauthenticated:
    return Unauthenticated("invalid_credentials", "E-mail or password is wrong.")
