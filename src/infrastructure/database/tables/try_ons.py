"""Photos, try-ons and their views."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from domain.views import Status, View, ViewError
from infrastructure.database.tables.columns import metadata, moment, row_id, word

OPEN = "status IN ('PENDING', 'PROCESSING')"

uploads = Table(
    "uploads",
    metadata,
    row_id(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("key", Text, nullable=False, unique=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    moment("created_at"),
)

images = Table(
    "images",
    metadata,
    row_id(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("style_id", BigInteger, nullable=False),
    Column("prompt_version", Integer, nullable=False),
    Column("upload_id", BigInteger, ForeignKey("uploads.id"), nullable=False, index=True),
    Column("folder", Text, nullable=False),
    word("status", Status),
    Column("is_favourite", Boolean, nullable=False),
    moment("created_at"),
    moment("deleted_at", nullable=True),
    ForeignKeyConstraint(["style_id", "prompt_version"], ["style_prompts.style_id", "style_prompts.version"]),
)
Index("ix_images_gallery", images.c.user_id, images.c.id.desc(), postgresql_where=images.c.deleted_at.is_(None))

views = Table(
    "views",
    metadata,
    row_id(),
    Column("image_id", BigInteger, ForeignKey("images.id"), nullable=False),
    word("view", View),
    word("status", Status),
    Column("round", SmallInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("attempts_before", SmallInteger, nullable=False, server_default=text("0")),
    Column("claim", Integer, nullable=False),
    Column("stumbles", Integer, nullable=False),
    moment("accepted_at"),
    moment("deadline_at"),
    moment("due_at"),
    moment("lease_until", nullable=True),
    Column("prediction_id", Text),
    Column("prediction", JSONB(none_as_null=True)),
    moment("expires_at", nullable=True),
    moment("poll_at", nullable=True),
    Column("output_key", Text),
    Column("output_width", Integer),
    Column("output_height", Integer),
    word("error", ViewError, nullable=True),
    moment("finished_at", nullable=True),
    UniqueConstraint("image_id", "view"),
)
Index("ix_views_open", views.c.due_at, postgresql_where=text(OPEN))
Index("ix_views_poll", views.c.poll_at, postgresql_where=text(f"{OPEN} AND poll_at IS NOT NULL"))
