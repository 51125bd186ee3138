"""Everything that somebody ever made is found by its owner: deleted try-ons, too."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Outside of the transaction, for try-ons are accepted meanwhile. One that a crash left half made is made anew.
    with op.get_context().autocommit_block():
        op.drop_index("ix_images_owner", "images", postgresql_concurrently=True, if_exists=True)
        op.create_index("ix_images_owner", "images", ["user_id"], postgresql_concurrently=True)


def downgrade() -> None:
    op.drop_index("ix_images_owner", "images")
