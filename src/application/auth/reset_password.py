from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.free_credits import FreeCredits
from application.auth.mailed_tokens import digest_of
from application.auth.new_password import NewPassword, Password
from application.auth.ports import (
    LoginThrottle,
    PasswordResetRepository,
    RegistrationRepository,
    SessionRepository,
    UserRepository,
)
from application.ports import UnitOfWork
from domain.errors import Invalid


class ResetPassword(Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(min_length=1, max_length=512)]
    new_password: Password


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPasswordHandler:
    """Use a mailed link to choose a new password: sessions end, and whoever guessed no longer delays the owner.

    The link proves the address, as one for verifying it does.
    """

    users: UserRepository
    resets: PasswordResetRepository
    registrations: RegistrationRepository
    sessions: SessionRepository
    free_credits: FreeCredits
    new_password: NewPassword
    throttle: LoginThrottle
    uow: UnitOfWork

    async def __call__(self, command: ResetPassword, actor: Actor) -> None:
        digest = digest_of(command.token)
        await self._check(digest)
        # Hashing takes tens of milliseconds: no transaction, and so no lock, is kept meanwhile.
        await self.uow.commit()
        password_hash = await self.new_password.hash(command.new_password, field="new_password")
        email = await self._check(digest)
        known = await self.users.by_email(email)
        user = await self.users.claim(known.id) if known else None
        if user is None or user.deleted_at is not None:
            raise _used_up()
        if user.is_verified:
            user.password_hash = password_hash
        else:
            user.hand_over(password_hash)
            await self.registrations.void_all(email)
            await self.free_credits.give(user)
        await self.resets.void_all(email)
        await self.sessions.revoke_all(user.id, await self.uow.now())
        await self.uow.commit()
        # Only now, for it cannot be undone; should it fail, the owner waits for the delay as anybody does.
        await self.throttle.reset(email)
        await self.throttle.recognise(email, actor.client.ip)

    async def _check(self, digest: bytes) -> str:
        """The address that a link is for, or `Invalid`."""
        reset = await self.resets.claim(digest)
        if reset is None or reset.expired(await self.uow.now()):
            raise _used_up()
        return reset.email


def _used_up() -> Invalid:
    return Invalid("token_invalid", "This link has been used or has expired.", field="token")
