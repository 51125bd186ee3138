"""Indexes of times, along which figures by day are read."""

from alembic import op
from sqlalchemy import text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_users_created_at"), "users", ["created_at"])
    op.create_index(op.f("ix_views_accepted_at"), "views", ["accepted_at"])
    op.create_index(op.f("ix_ledger_entries_created_at"), "ledger_entries", ["created_at"])
    op.create_index(op.f("ix_transactions_created_at"), "transactions", ["created_at"])
    op.create_index("ix_holds_voided", "holds", ["resolved_at"], postgresql_where=text("status = 'VOIDED'"))


def downgrade() -> None:
    op.drop_index("ix_holds_voided", "holds")
    op.drop_index(op.f("ix_transactions_created_at"), "transactions")
    op.drop_index(op.f("ix_ledger_entries_created_at"), "ledger_entries")
    op.drop_index(op.f("ix_views_accepted_at"), "views")
    op.drop_index(op.f("ix_users_created_at"), "users")
