from collections.abc import AsyncIterator
from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.auth.ports import UserRepository
from application.ports import UnitOfWork
from application.users.belongings import Belongings, ExportedFile
from application.users.named_user import user_named


class ExportNamedUser(Struct, frozen=True):
    user: str
    """An address or an id."""
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportNamedUserHandler:
    """Take out everything that is kept about somebody, for them. That it was taken out is noted, and by whom."""

    users: UserRepository
    belongings: Belongings
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: ExportNamedUser, actor: Actor) -> AsyncIterator[ExportedFile]:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        user = await user_named(self.users, command.user)
        await self.audit.note(operator, "user.export", f"user:{user.id}", reason=reason)
        await self.uow.commit()
        return await self.belongings.of(user.id, session_id=None)
