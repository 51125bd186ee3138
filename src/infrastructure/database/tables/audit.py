"""What operators did."""

from sqlalchemy import Column, DateTime, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from infrastructure.database.tables.columns import metadata, row_id

audit_entries = Table(
    "audit_entries",
    metadata,
    row_id(),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
    Column("operator", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("reason", Text),
    Column("details", JSONB, nullable=False),
)
