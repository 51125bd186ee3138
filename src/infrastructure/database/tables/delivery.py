"""Answers that are kept, what workers are to do, files on their way to storage, and how the image model fares."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer, LargeBinary, Table, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from infrastructure.database.tables.columns import metadata, row_id

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("result", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
)

# A row stays until a worker has done what it announces; Redis only rings the bell for it.
outbox = Table(
    "outbox",
    metadata,
    row_id(),
    Column("job", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("due_at", DateTime(timezone=True), nullable=False, index=True),
    Column("deliveries", Integer, nullable=False, server_default=text("0")),
    Column("origin", JSONB(none_as_null=True)),
)

# A file that may be in storage though no record names it yet: announced before it is put there.
expected_files = Table(
    "expected_files",
    metadata,
    Column("key", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("upload_key", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
)

# One row for each image model: what all workers together know of it.
model_gates = Table(
    "model_gates",
    metadata,
    Column("model", Text, primary_key=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("failed_images", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column("closed_until", DateTime(timezone=True), nullable=True),
    Column("reason", Text, nullable=True),
    Column("next_create_at", DateTime(timezone=True), nullable=True),
    Column("next_return_at", DateTime(timezone=True), nullable=True),
)
