"""Ties the domain's plain dataclasses to their tables, so that the domain knows no SQL.

Try-ons and their views are not among them: `try_ons.py` writes their rows.
"""

from sqlalchemy.orm import registry, relationship

from domain.payments import Dispute, Payment, Refund
from domain.sessions import Session
from domain.styles import Style, StylePrompts
from domain.transactions import Transaction
from domain.uploads import Upload
from domain.users import PasswordReset, Registration, User
from infrastructure.database import tables

mapper_registry = registry(metadata=tables.metadata)

_LEDGER_COLUMNS = ["credits", "credits_held", "credits_frozen"]
"""Kept by the ledger's own statements; an entity that wrote them back would undo what others did meanwhile."""


def map_entities() -> None:
    """Map them all, once per process; calling it again changes nothing."""
    if mapper_registry.mappers:
        return
    mapper_registry.map_imperatively(User, tables.users, exclude_properties=_LEDGER_COLUMNS)
    mapper_registry.map_imperatively(Registration, tables.registrations)
    mapper_registry.map_imperatively(PasswordReset, tables.password_resets)
    mapper_registry.map_imperatively(Session, tables.sessions)
    mapper_registry.map_imperatively(StylePrompts, tables.style_prompts)
    mapper_registry.map_imperatively(
        Style,
        tables.styles,
        properties={"prompts": relationship(StylePrompts, lazy="selectin", order_by=tables.style_prompts.c.version)},
    )
    mapper_registry.map_imperatively(Transaction, tables.transactions)
    mapper_registry.map_imperatively(Refund, tables.refunds)
    mapper_registry.map_imperatively(Dispute, tables.disputes)
    mapper_registry.map_imperatively(
        Payment,
        tables.payments,
        properties={
            "refunds": relationship(Refund, lazy="raise", order_by=tables.refunds.c.noted_at),
            "disputes": relationship(Dispute, lazy="raise", order_by=tables.disputes.c.noted_at),
        },
    )
    mapper_registry.map_imperatively(Upload, tables.uploads)
