from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import SessionItem, SessionReader
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of


class ListSessions(Struct, frozen=True):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessionsHandler:
    """Where one is signed in, the latest first."""

    sessions: SessionReader

    async def __call__(self, query: ListSessions, actor: Actor) -> Page[SessionItem]:
        items = await self.sessions.alive(
            actor.require_user(), current=actor.session_id, before=id_in(query.cursor), limit=query.limit + 1
        )
        return page_of(items, query.limit)
