"""Credits: what is held, and what came or went."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, SmallInteger, Table, Text, text

from infrastructure.database.tables.columns import metadata, moment, row_id

holds = Table(
    "holds",
    metadata,
    Column("view_id", BigInteger, ForeignKey("views.id"), primary_key=True),
    Column("round", SmallInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("status", Text, nullable=False),
    moment("created_at"),
    moment("resolved_at", nullable=True),
    CheckConstraint("amount > 0", name="amount_positive"),
    CheckConstraint("status IN ('PENDING', 'POSTED', 'VOIDED')", name="status_known"),
)
Index("ix_holds_open", holds.c.user_id, postgresql_where=text("status = 'PENDING'"))
# What was given back, by its day.
Index("ix_holds_voided", holds.c.resolved_at, postgresql_where=text("status = 'VOIDED'"))

ledger_entries = Table(
    "ledger_entries",
    metadata,
    row_id(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("natural_key", Text, nullable=False, unique=True),
    Column("reference", Text),
    Column("reason", Text),
    Column("operator", Text),
    Column("balance_after", BigInteger, nullable=False),
    moment("created_at", index=True),
    CheckConstraint("amount <> 0", name="amount_not_zero"),
)
Index("ix_ledger_entries_history", ledger_entries.c.user_id, ledger_entries.c.id.desc())
