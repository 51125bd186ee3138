"""What a view was tried in earlier rounds."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    before = sa.Column("attempts_before", sa.SmallInteger(), nullable=False, server_default=sa.text("0"))
    op.add_column("views", before)


def downgrade() -> None:
    op.drop_column("views", "attempts_before")
