"""The audit log as a table that only grows."""

from collections.abc import Mapping

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from application.audit import AuditLog
from infrastructure.database.tables import audit_entries


class SqlAuditLog(AuditLog):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(
        self,
        operator: str,
        action: str,
        subject: str,
        *,
        reason: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        entry = insert(audit_entries).values(
            operator=operator, action=action, subject=subject, reason=reason, details=dict(details or {})
        )
        await self._session.execute(entry)
