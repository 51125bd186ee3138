"""Who uses the service, and what lets them in."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from domain.sessions import SignInMethod
from domain.users import Role
from infrastructure.database.tables.columns import metadata, moment, row_id, word

users = Table(
    "users",
    metadata,
    row_id(),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    Column("profile_picture", Text),
    word("role", Role),
    Column("is_verified", Boolean, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("credits", BigInteger, nullable=False, server_default=text("0")),
    Column("credits_held", BigInteger, nullable=False, server_default=text("0")),
    Column("credits_frozen", BigInteger, nullable=False, server_default=text("0")),
    moment("created_at", index=True),
    moment("deleted_at", nullable=True),
    CheckConstraint("email = lower(email)", name="email_lower_case"),
    CheckConstraint("credits_held >= 0", name="credits_held_not_negative"),
    CheckConstraint("credits_frozen >= 0", name="credits_frozen_not_negative"),
)

registrations = Table(
    "registrations",
    metadata,
    row_id(),
    Column("email", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    Column("disputed", Boolean, nullable=False, server_default=false()),
    Column("token_seed", LargeBinary, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    moment("created_at", index=True),
)

# Kept for addresses without an account too: the work, and so its time, is the same for all.
password_resets = Table(
    "password_resets",
    metadata,
    row_id(),
    Column("email", Text, nullable=False, index=True),
    Column("token_seed", LargeBinary, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    moment("created_at", index=True),
)

# A person at an OpenID provider: its issuer and their number there, which never changes, as their address may.
identities = Table(
    "identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("picture_url", Text),
    moment("created_at"),
)

sessions = Table(
    "sessions",
    metadata,
    row_id(),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_agent", Text, nullable=False),
    Column("ip", Text, nullable=False),
    word("signed_in_by", SignInMethod),
    Column("counter", Integer, nullable=False),
    moment("created_at"),
    moment("rotated_at"),
    moment("last_used_at"),
    moment("revoked_at", nullable=True),
)

blacklist_tokens = Table(
    "blacklist_tokens",
    metadata,
    Column("jti", Text, primary_key=True),
    moment("expires_at", index=True),
)

mail_allowances = Table(
    "mail_allowances",
    metadata,
    Column("mailbox_hmac", LargeBinary, primary_key=True),
    Column("sent_at", ARRAY(DateTime(timezone=True)), nullable=False),
)

signup_grants = Table(
    "signup_grants",
    metadata,
    Column("mailbox_hmac", LargeBinary, primary_key=True),
    moment("granted_at", index=True),
)

daily_grants = Table(
    "daily_grants",
    metadata,
    Column("day", Text, primary_key=True),
    Column("granted", Integer, nullable=False),
)
