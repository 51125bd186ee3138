from dataclasses import dataclass

from application.actor import Actor
from application.auth.ports import LoginThrottle, Passwords, UserRepository
from application.ports import UnitOfWork
from domain.errors import Unauthenticated


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordProof:
    """Ask somebody who is signed in for the password, before what a stolen token must not be enough for."""

    users: UserRepository
    passwords: Passwords
    throttle: LoginThrottle
    uow: UnitOfWork

    async def of(self, actor: Actor, password: str) -> str:
        """The hash that the password fits; raise `Unauthenticated` (`invalid_credentials`) or `Throttled`.

        Ends the transaction: none is kept while the password is hashed.
        """
        user = await self.users.by_id(actor.require_user())
        await self.uow.commit()
        if user is None:
            raise _wrong()
        await self.throttle.admit(user.email, actor.client.ip)
        password_hash = user.password_hash
        if not await self.passwords.verify(password_hash, password) or password_hash is None:
            raise _wrong()
        await self.throttle.succeeded(user.email, actor.client.ip)
        return password_hash


def _wrong() -> Unauthenticated:
    return Unauthenticated("invalid_credentials", "The password is wrong.")
