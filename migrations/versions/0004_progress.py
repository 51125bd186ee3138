"""The log of each try-on, photos known by their bytes, files on their way to storage, and the image model's gate."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_COMPLETED = sa.text("status = 'COMPLETED'")
_WAITING = sa.text("status IN ('PENDING', 'PROCESSING') AND prediction_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "image_events",
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("view", sa.String(40), nullable=True),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("error", sa.String(40), nullable=True),
        sa.Column("at", _MOMENT, server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_image_events_image_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("image_id", "id", name=op.f("pk_image_events")),
    )
    op.create_table(
        "expected_files",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("upload_key", sa.Text(), nullable=True),
        sa.Column("created_at", _MOMENT, server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_expected_files_user_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_expected_files")),
    )
    op.create_index(op.f("ix_expected_files_created_at"), "expected_files", ["created_at"])
    op.create_index(op.f("ix_expected_files_user_id"), "expected_files", ["user_id"])
    op.create_table(
        "model_gates",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed_images", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("closed_until", _MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("next_create_at", _MOMENT, nullable=True),
        sa.Column("next_return_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_model_gates")),
    )
    op.add_column("uploads", sa.Column("digest", sa.LargeBinary(), nullable=True))
    # Their bytes are in storage, not here: each counts as a photo of its own.
    op.execute("UPDATE uploads SET digest = sha256(key::bytea)")
    op.alter_column("uploads", "digest", nullable=False)
    op.drop_index("ix_uploads_user_id", "uploads")
    op.create_index("ix_uploads_created_at", "uploads", ["created_at"])
    op.create_index("ix_uploads_distinct", "uploads", ["user_id", "digest", sa.text("id DESC")])
    op.alter_column("images", "upload_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_images_photo_kept"), "images", "upload_id IS NOT NULL OR deleted_at IS NOT NULL"
    )
    op.create_index("ix_views_waiting", "views", ["id"], postgresql_where=_WAITING)
    op.create_index("ix_views_finished", "views", ["view", sa.text("finished_at DESC")], postgresql_where=_COMPLETED)


def downgrade() -> None:
    op.drop_index("ix_views_finished", "views")
    op.drop_index("ix_views_waiting", "views")
    # Deleted try-ons whose photo has left too: there is no photo to name them by.
    views_without = (
        "SELECT views.id FROM views JOIN images ON images.id = views.image_id WHERE images.upload_id IS NULL"
    )
    op.execute(f"DELETE FROM holds WHERE view_id IN ({views_without})")  # noqa: S608 - the query above
    op.execute(f"DELETE FROM views WHERE id IN ({views_without})")  # noqa: S608 - the query above
    op.execute("DELETE FROM image_events WHERE image_id IN (SELECT id FROM images WHERE upload_id IS NULL)")
    op.execute("DELETE FROM images WHERE upload_id IS NULL")
    op.drop_constraint(op.f("ck_images_photo_kept"), "images")
    op.alter_column("images", "upload_id", nullable=False)
    op.drop_index("ix_uploads_distinct", "uploads")
    op.drop_index("ix_uploads_created_at", "uploads")
    op.create_index("ix_uploads_user_id", "uploads", ["user_id"])
    op.drop_column("uploads", "digest")
    op.drop_table("model_gates")
    op.drop_table("expected_files")
    op.drop_table("image_events")
