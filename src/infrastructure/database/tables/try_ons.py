"""Photos, try-ons, their views, and the log of how each went."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
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
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    moment("created_at"),
)
Index("ix_uploads_created_at", uploads.c.created_at)
Index("ix_uploads_distinct", uploads.c.user_id, uploads.c.digest, uploads.c.id.desc())

images = Table(
    "images",
    metadata,
    row_id(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("style_id", BigInteger, nullable=False),
    Column("prompt_version", Integer, nullable=False),
    Column("upload_id", BigInteger, ForeignKey("uploads.id"), nullable=True, index=True),
    Column("folder", Text, nullable=False),
    word("status", Status),
    Column("is_favourite", Boolean, nullable=False),
    moment("created_at"),
    moment("deleted_at", nullable=True),
    ForeignKeyConstraint(["style_id", "prompt_version"], ["style_prompts.style_id", "style_prompts.version"]),
    CheckConstraint("upload_id IS NOT NULL OR deleted_at IS NOT NULL", name="photo_kept"),
)
Index("ix_images_gallery", images.c.user_id, images.c.id.desc(), postgresql_where=images.c.deleted_at.is_(None))
Index(
    "ix_images_owner", images.c.user_id
)  # with what was deleted: it counts as cancelled, and is erased with its owner

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
    moment("accepted_at", index=True),
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
    Column("origin", JSONB(none_as_null=True)),
    UniqueConstraint("image_id", "view"),
)
Index("ix_views_open", views.c.due_at, postgresql_where=text(OPEN))
Index("ix_views_poll", views.c.poll_at, postgresql_where=text(f"{OPEN} AND poll_at IS NOT NULL"))
# The queue of those that wait for a worker.
Index("ix_views_waiting", views.c.id, postgresql_where=text(f"{OPEN} AND prediction_id IS NULL"))
# How long views took, the latest first.
Index(
    "ix_views_finished",
    views.c.view,
    views.c.finished_at.desc(),
    postgresql_where=views.c.status == Status.COMPLETED.value,
)

image_events = Table(
    "image_events",
    metadata,
    Column("image_id", BigInteger, ForeignKey("images.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    word("view", View, nullable=True),
    word("status", Status),
    word("error", ViewError, nullable=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
