from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.new_password import NewPassword, Password
from application.auth.ports import PasswordResetRepository, SessionRepository, UserRepository
from application.auth.proof import PasswordProof
from application.ports import UnitOfWork
from domain.errors import Unauthenticated


class ChangePassword(Struct, frozen=True, forbid_unknown_fields=True):
    current_password: Annotated[str, Meta(max_length=128)]
    new_password: Password


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePasswordHandler:
    """Replace one's password. Whoever else is signed in to the account has to know the new one."""

    users: UserRepository
    resets: PasswordResetRepository
    sessions: SessionRepository
    proof: PasswordProof
    new_password: NewPassword
    uow: UnitOfWork

    async def __call__(self, command: ChangePassword, actor: Actor) -> None:
        proved = await self.proof.of(actor, command.current_password)
        password_hash = await self.new_password.hash(command.new_password, field="new_password")
        user = await self.users.claim(actor.require_user())
        if user is None or user.password_hash != proved:
            raise Unauthenticated("invalid_credentials", "The password was changed a moment ago.")
        user.password_hash = password_hash
        await self.resets.void_all(user.email)
        await self.sessions.revoke_all(user.id, await self.uow.now(), keep=actor.session_id)
        await self.uow.commit()
