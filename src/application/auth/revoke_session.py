from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import SessionRepository
from application.ports import UnitOfWork
from domain.errors import NotFound
from domain.identifiers import can_be_id


class RevokeSession(Struct, frozen=True):
    session_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSessionHandler:
    """End one of one's sessions, on whatever device; its tokens are refused from then on."""

    sessions: SessionRepository
    uow: UnitOfWork

    async def __call__(self, command: RevokeSession, actor: Actor) -> None:
        owner = actor.require_user()
        session = await self.sessions.claim(command.session_id) if can_be_id(command.session_id) else None
        now = await self.uow.now()
        if session is None or session.user_id != owner or not session.alive(now):
            raise NotFound("not_found", "There is no such session.")
        session.revoke(now)
        await self.uow.commit()
