"""The hairstyles."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text

from domain.styles import Category
from infrastructure.database.tables.columns import metadata, row_id, word

styles = Table(
    "styles",
    metadata,
    row_id(),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    word("category", Category),
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
