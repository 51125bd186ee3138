"""The tables of the PostgreSQL database. Migrations are compared with them by a test."""

from infrastructure.database.tables.accounts import (
    blacklist_tokens,
    daily_grants,
    identities,
    mail_allowances,
    password_resets,
    registrations,
    sessions,
    signup_grants,
    users,
)
from infrastructure.database.tables.audit import audit_entries
from infrastructure.database.tables.catalogue import style_prompts, styles
from infrastructure.database.tables.columns import metadata
from infrastructure.database.tables.delivery import expected_files, idempotency_keys, model_gates, outbox
from infrastructure.database.tables.ledger import holds, ledger_entries
from infrastructure.database.tables.purchases import disputes, payment_events, payments, refunds, transactions
from infrastructure.database.tables.try_ons import image_events, images, uploads, views

__all__ = [
    "audit_entries",
    "blacklist_tokens",
    "daily_grants",
    "disputes",
    "expected_files",
    "holds",
    "idempotency_keys",
    "identities",
    "image_events",
    "images",
    "ledger_entries",
    "mail_allowances",
    "metadata",
    "model_gates",
    "outbox",
    "password_resets",
    "payment_events",
    "payments",
    "refunds",
    "registrations",
    "sessions",
    "signup_grants",
    "style_prompts",
    "styles",
    "transactions",
    "uploads",
    "users",
    "views",
]
