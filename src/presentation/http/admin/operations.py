"""How the service fares, and what operators did."""

from datetime import date
from typing import Annotated

from dishka.integrations.litestar import FromDishka
from litestar import get
from litestar.params import FromQuery, QueryParameter

from application.analytics.show_analytics import Analytics, ShowAnalytics, ShowAnalyticsHandler
from application.audit_log.list_audit_log import ListAuditLog, ListAuditLogHandler
from application.audit_log.ports import AuditEntry
from application.pages import DEFAULT_LIMIT, Page
from application.queue.show_queue import QueueStatus, ShowQueue, ShowQueueHandler
from presentation.http.admin.gate import AdminController
from presentation.http.authentication import SignedIn
from presentation.http.documentation import refusals
from presentation.http.paging import Cursor, Limit

Word = Annotated[str | None, QueryParameter(max_length=200)]


class AdminOperationsController(AdminController):
    path = "/admin"

    @get("/queue", operation_id="showQueue", responses=refusals(401, 403, 429))
    async def queue(self, actor: SignedIn, handle: FromDishka[ShowQueueHandler]) -> QueueStatus:
        """What is to be done, and what holds it up."""
        return await handle(ShowQueue(), actor)

    @get("/audit", operation_id="listAuditLog", responses=refusals(400, 401, 403, 429))
    async def audit_log(
        self,
        actor: SignedIn,
        handle: FromDishka[ListAuditLogHandler],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        operator: Word = None,
        action: Word = None,
        subject: Word = None,
    ) -> Page[AuditEntry]:
        """What operators did, newest first: all of it, or by whom, by which command (`user.disable`), to what."""
        return await handle(ListAuditLog(limit, cursor, operator, action, subject), actor)

    @get("/analytics", operation_id="showAnalytics", responses=refusals(400, 401, 403, 429))
    async def analytics(
        self,
        actor: SignedIn,
        handle: FromDishka[ShowAnalyticsHandler],
        since: FromQuery[date | None] = None,
        until: FromQuery[date | None] = None,
    ) -> Analytics:
        """Sign-ups, renders (in all and by style), credits and revenue by day, in UTC.

        Of the last 30 days, or from `since` to `until`, both included, 92 days at most. A day without anything is left
        out.
        """
        return await handle(ShowAnalytics(since, until), actor)
