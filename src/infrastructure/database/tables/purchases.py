"""Purchases of credits, and all that the payment provider told about them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from application.payments.ports import Verdict
from domain.payments import DisputeState, RefundStatus
from domain.transactions import Mismatch, TransactionStatus
from infrastructure.database.tables.columns import metadata, moment, row_id, word

transactions = Table(
    "transactions",
    metadata,
    row_id(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("credits", Integer, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("price_currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    word("status", TransactionStatus),
    Column("session_id", Text, unique=True),
    Column("checkout_url", Text),
    moment("opening_until", nullable=True),
    moment("refunding_until", nullable=True),
    Column("payment_id", Text),
    Column("payment_method", Text),
    moment("created_at", index=True),
    moment("ask_at", nullable=True),
    CheckConstraint("credits > 0", name="credits_positive"),
)
Index("ix_transactions_own", transactions.c.user_id, transactions.c.id.desc())
Index("ix_transactions_ask_at", transactions.c.ask_at, postgresql_where=transactions.c.ask_at.is_not(None))

# A row for every payment that the provider ever named: whoever brings news of it waits here for one another. It is
# tied to a purchase when it grants that purchase's credits, which no two payments can.
payments = Table(
    "payments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("transaction_id", BigInteger, ForeignKey("transactions.id"), unique=True),
    Column("total", BigInteger, nullable=False, server_default=text("0")),
    Column("currency", Text, nullable=False, server_default=text("''")),
    Column("granted", Integer, nullable=False, server_default=text("0")),
    Column("taken", Integer, nullable=False, server_default=text("0")),
    Column("frozen", Integer, nullable=False, server_default=text("0")),
    moment("heard_at"),
    CheckConstraint("taken BETWEEN 0 AND granted", name="taken_within_grant"),
    CheckConstraint("frozen BETWEEN 0 AND granted - taken", name="frozen_within_grant"),
)

# What is told of a payment is that payment's own, whatever other payment the same is told of.
refunds = Table(
    "refunds",
    metadata,
    Column("payment_id", Text, ForeignKey("payments.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    word("status", RefundStatus),
    moment("noted_at"),
)

disputes = Table(
    "disputes",
    metadata,
    Column("payment_id", Text, ForeignKey("payments.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    word("state", DisputeState),
    moment("noted_at"),
)

# Every signed message, for ever: its id is what makes it count once. What it says of a person goes with that person.
payment_events = Table(
    "payment_events",
    metadata,
    row_id(),
    Column("webhook_id", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("payment_id", Text, index=True),
    Column("report", JSONB(none_as_null=True)),
    Column("readable", Boolean, nullable=False),
    Column("body", LargeBinary),
    word("verdict", Verdict),
    word("reason", Mismatch, nullable=True),
    Column("transaction_id", BigInteger, ForeignKey("transactions.id"), index=True),
    moment("received_at"),
)
Index(
    "ix_payment_events_nobodys",
    payment_events.c.received_at,
    postgresql_where=payment_events.c.body.is_not(None) & payment_events.c.transaction_id.is_(None),
)
Index(
    "ix_payment_events_quarantined",
    payment_events.c.id.desc(),
    postgresql_where=payment_events.c.verdict == Verdict.QUARANTINED.value,
)
