"""The numbers that things are known by."""

LARGEST_ID = 2**63 - 1
"""What a `bigint` of PostgreSQL holds. A larger number is the id of nothing, and also a bound above every id."""
