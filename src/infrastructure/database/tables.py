"""The tables of the PostgreSQL database. Migrations are compared with this file by a test."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from domain.sessions import SignInMethod
from domain.styles import Category
from domain.users import Role
from domain.views import Status, View, ViewError

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

OPEN = "status IN ('PENDING', 'PROCESSING')"


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _moment(name: str, *, nullable: bool = False, index: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, index=index)


def _word(name: str, words: type, *, nullable: bool = False) -> Column[object]:
    """Keep an enumeration's value as text: adding a word then takes no change of type."""
    kind = Enum(
        words,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda enumeration: [member.value for member in enumeration],
    )
    return Column(name, kind, nullable=nullable)


users = Table(
    "users",
    metadata,
    _id(),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    Column("profile_picture", Text),
    _word("role", Role),
    Column("is_verified", Boolean, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("credits", BigInteger, nullable=False, server_default=text("0")),
    Column("credits_held", BigInteger, nullable=False, server_default=text("0")),
    Column("credits_frozen", BigInteger, nullable=False, server_default=text("0")),
    _moment("created_at"),
    _moment("deleted_at", nullable=True),
    CheckConstraint("email = lower(email)", name="email_lower_case"),
    CheckConstraint("credits_held >= 0", name="credits_held_not_negative"),
    CheckConstraint("credits_frozen >= 0", name="credits_frozen_not_negative"),
)

registrations = Table(
    "registrations",
    metadata,
    _id(),
    Column("email", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    Column("token_seed", LargeBinary, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    _moment("created_at", index=True),
)

# Kept for addresses without an account too: the work, and so its time, is the same for all.
password_resets = Table(
    "password_resets",
    metadata,
    _id(),
    Column("email", Text, nullable=False, index=True),
    Column("token_seed", LargeBinary, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    _moment("created_at", index=True),
)

# A person at an OpenID provider: its issuer and their number there, which never changes, as their address may.
identities = Table(
    "identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("picture_url", Text),
    _moment("created_at"),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_agent", Text, nullable=False),
    Column("ip", Text, nullable=False),
    _word("signed_in_by", SignInMethod),
    Column("counter", Integer, nullable=False),
    _moment("created_at"),
    _moment("rotated_at"),
    _moment("last_used_at"),
    _moment("revoked_at", nullable=True),
)

blacklist_tokens = Table(
    "blacklist_tokens",
    metadata,
    Column("jti", Text, primary_key=True),
    _moment("expires_at", index=True),
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
    _moment("granted_at", index=True),
)

daily_grants = Table(
    "daily_grants",
    metadata,
    Column("day", Text, primary_key=True),
    Column("granted", Integer, nullable=False),
)

styles = Table(
    "styles",
    metadata,
    _id(),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    _word("category", Category),
    Column("thumbnail", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("prompt_version", Integer, nullable=False),
)

style_prompts = Table(
    "style_prompts",
    metadata,
    Column("style_id", BigInteger, ForeignKey("styles.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("front", Text, nullable=False),
    Column("right", Text, nullable=False),
    Column("left", Text, nullable=False),
    Column("back", Text, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    _id(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False, index=True),
    Column("key", Text, nullable=False, unique=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    _moment("created_at"),
)

images = Table(
    "images",
    metadata,
    _id(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("style_id", BigInteger, nullable=False),
    Column("prompt_version", Integer, nullable=False),
    Column("upload_id", BigInteger, ForeignKey("uploads.id"), nullable=False, index=True),
    Column("folder", Text, nullable=False),
    _word("status", Status),
    Column("is_favourite", Boolean, nullable=False),
    _moment("created_at"),
    _moment("deleted_at", nullable=True),
    ForeignKeyConstraint(["style_id", "prompt_version"], ["style_prompts.style_id", "style_prompts.version"]),
)
Index("ix_images_gallery", images.c.user_id, images.c.id.desc(), postgresql_where=images.c.deleted_at.is_(None))

views = Table(
    "views",
    metadata,
    _id(),
    Column("image_id", BigInteger, ForeignKey("images.id"), nullable=False),
    _word("view", View),
    _word("status", Status),
    Column("round", SmallInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("claim", Integer, nullable=False),
    Column("stumbles", Integer, nullable=False),
    _moment("accepted_at"),
    _moment("deadline_at"),
    _moment("due_at"),
    _moment("lease_until", nullable=True),
    Column("prediction_id", Text),
    Column("prediction", JSONB(none_as_null=True)),
    _moment("expires_at", nullable=True),
    _moment("poll_at", nullable=True),
    Column("output_key", Text),
    Column("output_width", Integer),
    Column("output_height", Integer),
    _word("error", ViewError, nullable=True),
    _moment("finished_at", nullable=True),
    UniqueConstraint("image_id", "view"),
)
Index("ix_views_open", views.c.due_at, postgresql_where=text(OPEN))
Index("ix_views_poll", views.c.poll_at, postgresql_where=text(f"{OPEN} AND poll_at IS NOT NULL"))

holds = Table(
    "holds",
    metadata,
    Column("view_id", BigInteger, ForeignKey("views.id"), primary_key=True),
    Column("round", SmallInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("status", Text, nullable=False),
    _moment("created_at"),
    _moment("resolved_at", nullable=True),
    CheckConstraint("amount > 0", name="amount_positive"),
    CheckConstraint("status IN ('PENDING', 'POSTED', 'VOIDED')", name="status_known"),
)
Index("ix_holds_open", holds.c.user_id, postgresql_where=text("status = 'PENDING'"))

ledger_entries = Table(
    "ledger_entries",
    metadata,
    _id(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("natural_key", Text, nullable=False, unique=True),
    Column("reference", Text),
    Column("reason", Text),
    Column("operator", Text),
    Column("balance_after", BigInteger, nullable=False),
    _moment("created_at"),
    CheckConstraint("amount <> 0", name="amount_not_zero"),
)
Index("ix_ledger_entries_history", ledger_entries.c.user_id, ledger_entries.c.id.desc())

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
    _id(),
    Column("job", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("due_at", DateTime(timezone=True), nullable=False, index=True),
    Column("deliveries", Integer, nullable=False, server_default=text("0")),
)
