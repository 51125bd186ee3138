from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.auth.ports import SessionRepository, UserRepository
from application.ports import UnitOfWork
from application.users.account import read_user
from application.users.named_user import claim_named
from application.users.ports import UserDetails, UserRecords


class DisableUser(Struct, frozen=True):
    user: str
    """An address or an id."""
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableUserHandler:
    """Shut an account: every session ends at once, and no way of signing in opens it (`account_disabled`).

    What is being rendered goes on, for it is paid.
    """

    users: UserRepository
    sessions: SessionRepository
    records: UserRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: DisableUser, actor: Actor) -> UserDetails:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        user = await claim_named(self.users, command.user)
        user.disable()
        await self.sessions.revoke_all(user.id, await self.uow.now())
        await self.audit.note(operator, "user.disable", f"user:{user.id}", reason=reason)
        await self.uow.commit()
        return await read_user(self.records, user.id)
