"""Where work comes from: the request, and the span of its trace. Rows without it are as good as before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("outbox", "views"):
        op.add_column(table, sa.Column("origin", JSONB(none_as_null=True), nullable=True))


def downgrade() -> None:
    for table in ("views", "outbox"):
        op.drop_column(table, "origin")
