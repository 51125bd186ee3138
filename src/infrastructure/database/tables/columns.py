"""What the tables are made of."""

from sqlalchemy import BigInteger, Column, DateTime, Enum, Identity, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def row_id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def moment(name: str, *, nullable: bool = False, index: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, index=index)


def word(name: str, words: type, *, nullable: bool = False) -> Column[object]:
    """Keep an enumeration's value as text: adding a word then takes no change of type."""
    kind = Enum(
        words,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda enumeration: [member.value for member in enumeration],
    )
    return Column(name, kind, nullable=nullable)
