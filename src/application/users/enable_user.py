from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.auth.ports import UserRepository
from application.ports import UnitOfWork
from application.users.account import read_user
from application.users.named_user import claim_named
from application.users.ports import UserDetails, UserRecords


class EnableUser(Struct, frozen=True):
    user: str
    """An address or an id."""
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableUserHandler:
    """Open a disabled account again; its owner signs in anew."""

    users: UserRepository
    records: UserRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: EnableUser, actor: Actor) -> UserDetails:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        user = await claim_named(self.users, command.user)
        user.enable()
        await self.audit.note(operator, "user.enable", f"user:{user.id}", reason=reason)
        await self.uow.commit()
        return await read_user(self.records, user.id)
