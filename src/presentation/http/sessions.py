"""Where one is signed in."""

from dishka.integrations.litestar import FromDishka
from litestar import Controller, delete, get
from litestar.params import FromPath

from application.auth.list_sessions import ListSessions, ListSessionsHandler
from application.auth.ports import SessionItem
from application.auth.revoke_session import RevokeSession, RevokeSessionHandler
from application.pages import DEFAULT_LIMIT, Page
from presentation.http.authentication import SignedIn
from presentation.http.documentation import SIGNED_IN, refusals
from presentation.http.paging import Cursor, Limit


class SessionController(Controller):
    path = "/auth/sessions"
    tags = ("auth",)
    security = SIGNED_IN

    @get("/", operation_id="listSessions", responses=refusals(400, 401, 403, 429))
    async def sessions(
        self,
        actor: SignedIn,
        handle: FromDishka[ListSessionsHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[SessionItem]:
        return await handle(ListSessions(limit, cursor), actor)

    @delete("/{session_id:int}", operation_id="revokeSession", responses=refusals(400, 401, 403, 404, 429))
    async def revoke(
        self, session_id: FromPath[int], actor: SignedIn, handle: FromDishka[RevokeSessionHandler]
    ) -> None:
        await handle(RevokeSession(session_id), actor)
