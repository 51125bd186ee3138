"""Purchases, payments with their refunds and disputes, and the provider's events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "transactions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("price_currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column("opening_until", _MOMENT, nullable=True),
        sa.Column("refunding_until", _MOMENT, nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("payment_method", sa.Text(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ask_at", _MOMENT, nullable=True),
        sa.CheckConstraint("credits > 0", name=op.f("ck_transactions_credits_positive")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_transactions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transactions")),
        sa.UniqueConstraint("session_id", name=op.f("uq_transactions_session_id")),
    )
    op.create_index("ix_transactions_own", "transactions", ["user_id", sa.literal_column("id DESC")])
    op.create_index(
        "ix_transactions_ask_at", "transactions", ["ask_at"], postgresql_where=sa.text("ask_at IS NOT NULL")
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("granted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("taken", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("frozen", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("heard_at", _MOMENT, nullable=False),
        sa.CheckConstraint("taken BETWEEN 0 AND granted", name=op.f("ck_payments_taken_within_grant")),
        sa.CheckConstraint("frozen BETWEEN 0 AND granted - taken", name=op.f("ck_payments_frozen_within_grant")),
        sa.ForeignKeyConstraint(["transaction_id"], ["transactions.id"], name=op.f("fk_payments_transaction_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("transaction_id", name=op.f("uq_payments_transaction_id")),
    )
    for table, word in (("refunds", "status"), ("disputes", "state")):
        op.create_table(
            table,
            sa.Column("payment_id", sa.Text(), nullable=False),
            sa.Column("id", sa.Text(), nullable=False),
            sa.Column("currency", sa.Text(), nullable=False),
            sa.Column("amount", sa.BigInteger(), nullable=False),
            sa.Column(word, sa.String(40), nullable=False),
            sa.Column("noted_at", _MOMENT, nullable=False),
            sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f(f"fk_{table}_payment_id")),
            sa.PrimaryKeyConstraint("payment_id", "id", "currency", name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "payment_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("report", postgresql.JSONB(), nullable=True),
        sa.Column("readable", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["transaction_id"], ["transactions.id"], name=op.f("fk_payment_events_transaction_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_events")),
        sa.UniqueConstraint("webhook_id", name=op.f("uq_payment_events_webhook_id")),
    )
    op.create_index(op.f("ix_payment_events_payment_id"), "payment_events", ["payment_id"])
    op.create_index(op.f("ix_payment_events_transaction_id"), "payment_events", ["transaction_id"])
    op.create_index(
        "ix_payment_events_nobodys",
        "payment_events",
        ["received_at"],
        postgresql_where=sa.text("body IS NOT NULL AND transaction_id IS NULL"),
    )
    op.create_index(
        "ix_payment_events_quarantined",
        "payment_events",
        [sa.literal_column("id DESC")],
        postgresql_where=sa.text("verdict = 'quarantined'"),
    )


def downgrade() -> None:
    for table in ("payment_events", "disputes", "refunds", "payments", "transactions"):
        op.drop_table(table)
