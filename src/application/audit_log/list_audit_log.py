from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit_log.ports import AuditEntry, AuditFilter, AuditRecords
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of
from domain.texts import one_line


class ListAuditLog(Struct, frozen=True):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    operator: str | None = None
    action: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAuditLogHandler:
    """Show an operator what operators did, newest first: all of it, or by whom, which command, or to what."""

    records: AuditRecords

    async def __call__(self, query: ListAuditLog, actor: Actor) -> Page[AuditEntry]:
        actor.require_operator()
        wanted = (query.operator, query.action, query.subject)
        only = AuditFilter(*(None if text is None else one_line(text) for text in wanted))
        entries = await self.records.entries(before=id_in(query.cursor), limit=query.limit + 1, only=only)
        return page_of(entries, query.limit)
