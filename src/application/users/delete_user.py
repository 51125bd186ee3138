from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import SessionRepository, UserRepository
from application.auth.proof import PasswordProof
from application.ports import UnitOfWork
from application.users.account import claim_account
from application.users.erasure import Erasure
from domain.errors import Unauthenticated
from domain.sessions import SignInMethod


class DeleteUser(Struct, frozen=True, forbid_unknown_fields=True):
    password: Annotated[str, Meta(max_length=128)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUserHandler:
    """Erase the account of whoever asks, who proves once more who they are."""

    users: UserRepository
    sessions: SessionRepository
    proof: PasswordProof
    erasure: Erasure
    uow: UnitOfWork

    async def __call__(self, command: DeleteUser, actor: Actor) -> None:
        owner = actor.require_user()
        proved = None if command.password is None else await self.proof.of(actor, command.password)
        user = await claim_account(self.users, owner)
        now = await self.uow.now()
        if proved is not None and user.password_hash != proved:
            raise Unauthenticated("invalid_credentials", "The password was changed a moment ago.")
        if proved is None:
            session = await self.sessions.claim(actor.session_id) if actor.session_id is not None else None
            if session is None or not session.fresh(SignInMethod.GOOGLE, now):
                raise Unauthenticated("invalid_credentials", "Send your password, or sign in with Google once more.")
        await self.erasure.erase(user, now)
        await self.uow.commit()
