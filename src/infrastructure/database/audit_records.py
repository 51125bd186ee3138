"""How the audit log is read."""

import msgspec

from application.audit_log.ports import AuditEntry, AuditFilter, AuditRecords
from domain.identifiers import LARGEST_ID
from infrastructure.database.engine import ReadPool

_ENTRIES = """
SELECT id, at, operator, action, subject, reason, details::text AS details
FROM audit_entries
WHERE id < $1
    AND ($3::text IS NULL OR operator = $3)
    AND ($4::text IS NULL OR action = $4)
    AND ($5::text IS NULL OR subject = $5)
ORDER BY id DESC LIMIT $2
"""


class SqlAuditRecords(AuditRecords):
    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def entries(self, *, before: int | None, limit: int, only: AuditFilter) -> list[AuditEntry]:
        place = LARGEST_ID if before is None else before
        rows = await self._pool.fetch(_ENTRIES, place, limit, only.operator, only.action, only.subject)
        return [AuditEntry(**{**row, "details": msgspec.json.decode(row["details"])}) for row in rows]
