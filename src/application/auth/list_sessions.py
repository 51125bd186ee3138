from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import SessionItem, SessionReader
from application.pages import DEFAULT_LIMIT, Page, cursor_after, id_in


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
        more = len(items) > query.limit
        return Page(items[: query.limit], cursor_after(items[query.limit - 1].id) if more else None)
