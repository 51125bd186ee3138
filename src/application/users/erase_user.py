from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.auth.ports import UserRepository
from application.ports import UnitOfWork
from application.users.erasure import Erasure
from application.users.named_user import claim_named


class EraseUser(Struct, frozen=True):
    user: str
    """An address or an id."""
    reason: Reason


class UserErased(Struct, frozen=True):
    id: int
    """Under which the ledger goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseUserHandler:
    """Erase somebody's account on their behalf, as they could themselves."""

    users: UserRepository
    erasure: Erasure
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: EraseUser, actor: Actor) -> UserErased:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        user = await claim_named(self.users, command.user)
        await self.erasure.erase(user, await self.uow.now())
        await self.audit.note(operator, "user.delete", f"user:{user.id}", reason=reason)
        await self.uow.commit()
        return UserErased(user.id)
