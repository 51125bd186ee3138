from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.auth.ports import UserRepository
from application.ports import UnitOfWork
from application.users.account import read_user
from application.users.named_user import claim_named
from application.users.ports import UserDetails, UserRecords
from domain.users import Role


class ChangeRole(Struct, frozen=True):
    user: str
    """An address or an id."""
    role: Role
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRoleHandler:
    """Make a customer an admin, or an admin a customer. It counts from the next request on: no token says the role."""

    users: UserRepository
    records: UserRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: ChangeRole, actor: Actor) -> UserDetails:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        user = await claim_named(self.users, command.user)
        user.become(command.role)
        await self.audit.note(
            operator, "user.promote", f"user:{user.id}", reason=reason, details={"role": command.role}
        )
        await self.uow.commit()
        return await read_user(self.records, user.id)
