"""The numbers that things are known by."""

LARGEST_ID = 2**63 - 1
"""What a `bigint` of PostgreSQL holds. A larger number is the id of nothing, and also a bound above every id."""


def can_be_id(number: int) -> bool:
    """Tell whether anything may be known by this number; the database cannot even be asked about every other."""
    return 0 < number <= LARGEST_ID
