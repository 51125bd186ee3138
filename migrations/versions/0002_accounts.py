"""Password resets, identities at OpenID providers, how a session began, and erased users."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Addresses in clear give way to their pseudonyms; what it remembers is an hour old at most.
    op.drop_table("mail_allowances")
    op.create_table(
        "mail_allowances",
        sa.Column("mailbox_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", postgresql.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_hmac", name=op.f("pk_mail_allowances")),
    )
    op.create_table(
        "password_resets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("token_seed", sa.LargeBinary(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_resets")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_resets_token_hash")),
    )
    op.create_index(op.f("ix_password_resets_created_at"), "password_resets", ["created_at"], unique=False)
    op.create_index(op.f("ix_password_resets_email"), "password_resets", ["email"], unique=False)
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("picture_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_identities_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
        sa.UniqueConstraint("user_id", name=op.f("uq_identities_user_id")),
    )
    op.alter_column("registrations", "password_hash", existing_type=sa.TEXT(), nullable=True)
    method = sa.Enum("password", "link", "google", name="signinmethod", native_enum=False, length=40)
    # The sessions that are there came to be when there was no other way but the password and the link.
    op.add_column("sessions", sa.Column("signed_in_by", method, nullable=False, server_default="password"))
    op.alter_column("sessions", "signed_in_by", server_default=None)
    op.add_column("registrations", sa.Column("disputed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_table("mail_allowances")
    op.create_table(
        "mail_allowances",
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("sent_at", postgresql.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_mail_allowances")),
    )
    op.drop_column("users", "deleted_at")
    op.drop_column("registrations", "disputed")
    op.drop_column("sessions", "signed_in_by")
    op.execute("DELETE FROM registrations WHERE password_hash IS NULL")
    op.alter_column("registrations", "password_hash", existing_type=sa.TEXT(), nullable=False)
    op.drop_table("identities")
    op.drop_index(op.f("ix_password_resets_email"), table_name="password_resets")
    op.drop_index(op.f("ix_password_resets_created_at"), table_name="password_resets")
    op.drop_table("password_resets")
