"""How profiles, credits and the catalogue are read: columns straight into the answer, no entities."""

from application.credits.ports import (
    Balance,
    LedgerAudit,
    LedgerAuditor,
    LedgerDifference,
    LedgerItem,
    LedgerReader,
    LedgerRecords,
    OperatorLedgerItem,
)
from application.images.ports import PictureStorage
from application.styles.ports import StyleItem, StyleReader
from application.users.named_user import named_address, named_id, nobody_named
from application.users.ports import IdentityReader, IdentityRecord, Profile, ProfileReader, UserFinder
from domain.credits import Cause
from domain.identifiers import LARGEST_ID
from domain.styles import Category
from domain.users import Role
from infrastructure.database.engine import LONG_SECONDS, ReadPool

CATEGORIES = {category.value: category for category in Category}


class SqlProfileReader(ProfileReader, IdentityReader, UserFinder):
    def __init__(self, pool: ReadPool, storage: PictureStorage) -> None:
        self._pool = pool
        self._storage = storage

    async def profile(self, user_id: int) -> Profile | None:
        row = await self._pool.fetchrow(
            """
            SELECT id, email, name, profile_picture, role, is_verified, credits, credits_held, created_at,
                EXISTS (SELECT FROM identities WHERE identities.user_id = users.id) AS signs_in_with_google
            FROM users WHERE id = $1
            """,
            user_id,
        )
        if row is None:
            return None
        picture = row["profile_picture"]
        return Profile(
            id=row["id"],
            email=row["email"],
            name=row["name"],
            profile_picture=await self._storage.url(picture) if picture else None,
            role=Role(row["role"]),
            is_verified=row["is_verified"],
            oauth_provider="google" if row["signs_in_with_google"] else None,
            credits=row["credits"],
            credits_held=row["credits_held"],
            created_at=row["created_at"],
        )

    async def picture(self, user_id: int) -> str | None:
        row = await self._pool.fetchrow("SELECT profile_picture FROM users WHERE id = $1", user_id)
        return row["profile_picture"] if row else None

    async def id_of(self, email_or_id: str) -> int:
        row = await self._pool.fetchrow(
            "SELECT id FROM users WHERE id = $1::bigint OR ($1::bigint IS NULL AND email = $2)",
            named_id(email_or_id),
            named_address(email_or_id),
        )
        if row is None:
            raise nobody_named(email_or_id)
        user_id: int = row["id"]
        return user_id

    async def of_user(self, user_id: int) -> list[IdentityRecord]:
        rows = await self._pool.fetch(
            "SELECT issuer, subject, created_at FROM identities WHERE user_id = $1 ORDER BY created_at", user_id
        )
        return [IdentityRecord(**row) for row in rows]


class SqlLedgerReader(LedgerReader, LedgerRecords):
    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def balance(self, user_id: int) -> Balance | None:
        row = await self._pool.fetchrow(
            "SELECT credits, credits_held, credits_frozen FROM users WHERE id = $1", user_id
        )
        if row is None:
            return None
        total, held, frozen = row["credits"], row["credits_held"], row["credits_frozen"]
        return Balance(total, held, frozen, total - held - frozen)

    async def history(self, user_id: int, *, before: int | None, limit: int) -> list[LedgerItem]:
        rows = await self._pool.fetch(
            """
            SELECT id, amount, cause, reference, balance_after, created_at
            FROM ledger_entries WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
            """,
            user_id,
            LARGEST_ID if before is None else before,
            limit,
        )
        return [LedgerItem(**{**row, "cause": Cause(row["cause"])}) for row in rows]

    async def records(self, user_id: int, *, before: int | None, limit: int) -> list[OperatorLedgerItem]:
        rows = await self._pool.fetch(
            """
            SELECT id, amount, cause, reference, balance_after, created_at, reason, operator
            FROM ledger_entries WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
            """,
            user_id,
            LARGEST_ID if before is None else before,
            limit,
        )
        return [OperatorLedgerItem(**{**row, "cause": Cause(row["cause"])}) for row in rows]


class SqlStyleReader(StyleReader):
    def __init__(self, pool: ReadPool, storage: PictureStorage) -> None:
        self._pool = pool
        self._storage = storage

    async def active(self, category: Category | None) -> list[StyleItem]:
        rows = await self._pool.fetch(
            """
            SELECT id, name, description, category, thumbnail
            FROM styles WHERE is_active AND ($1::text IS NULL OR category = $1) ORDER BY position, id
            """,
            category,
        )
        return [
            StyleItem(id_, name, description, CATEGORIES[category_], await self._storage.url(thumbnail))
            for id_, name, description, category_, thumbnail in rows
        ]


class SqlLedgerAuditor(LedgerAuditor):
    """Reads everything in one statement per question, each a consistent snapshot."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def audit(self) -> LedgerAudit:
        sums = await self._pool.fetchrow(
            """
            SELECT (SELECT count(*) FROM users) AS accounts, (SELECT count(*) FROM ledger_entries) AS entries,
                (SELECT count(*) FROM holds WHERE status = 'PENDING') AS open_holds
            """,
            seconds=LONG_SECONDS,
        )
        differing = await self._pool.fetch(
            """
            SELECT users.id, users.credits, users.credits_held, users.credits_frozen,
                coalesce(ledger.total, 0)::bigint AS recomputed, coalesce(held.total, 0)::bigint AS held_recomputed,
                coalesce(frozen.total, 0)::bigint AS frozen_recomputed
            FROM users
            LEFT JOIN (SELECT user_id, sum(amount) AS total FROM ledger_entries GROUP BY user_id) AS ledger
                ON ledger.user_id = users.id
            LEFT JOIN (SELECT user_id, sum(amount) AS total FROM holds WHERE status = 'PENDING' GROUP BY user_id)
                AS held ON held.user_id = users.id
            LEFT JOIN (
                SELECT user_id, sum(frozen) AS total
                FROM payments JOIN transactions ON transactions.id = transaction_id GROUP BY user_id
            ) AS frozen ON frozen.user_id = users.id
            WHERE users.credits <> coalesce(ledger.total, 0) OR users.credits_held <> coalesce(held.total, 0)
                OR users.credits_frozen <> coalesce(frozen.total, 0)
            """,
            seconds=LONG_SECONDS,
        )
        unpaid = await self._pool.fetch(
            """
            SELECT payments.id FROM payments
            LEFT JOIN (
                SELECT reference, sum(amount) FILTER (WHERE cause = 'purchase') AS granted,
                    -sum(amount) FILTER (WHERE cause IN ('refund', 'dispute')) AS taken
                FROM ledger_entries WHERE cause IN ('purchase', 'refund', 'dispute') GROUP BY reference
            ) AS entered ON entered.reference = 'transaction:' || payments.transaction_id
            WHERE payments.granted <> coalesce(entered.granted, 0) OR payments.taken <> coalesce(entered.taken, 0)
            ORDER BY payments.id
            """,
            seconds=LONG_SECONDS,
        )
        astray = await self._pool.fetch(
            """
            SELECT views.id FROM views
            LEFT JOIN holds ON holds.view_id = views.id AND holds.round = views.round
            WHERE holds.status IS DISTINCT FROM CASE
                WHEN views.status IN ('PENDING', 'PROCESSING') THEN 'PENDING'
                WHEN views.status = 'COMPLETED' AND views.attempt = 0 THEN NULL -- shown again, not rendered
                WHEN views.status = 'COMPLETED' THEN 'POSTED'
                ELSE 'VOIDED' END
            ORDER BY views.id
            """,
            seconds=LONG_SECONDS,
        )
        differences = [
            LedgerDifference(
                row["id"],
                row["credits"],
                row["recomputed"],
                row["credits_held"],
                row["held_recomputed"],
                row["credits_frozen"],
                row["frozen_recomputed"],
            )
            for row in differing
        ]
        accounts, entries, open_holds = (sums["accounts"], sums["entries"], sums["open_holds"]) if sums else (0, 0, 0)
        return LedgerAudit(
            accounts,
            entries,
            open_holds,
            differences,
            [row["id"] for row in astray],
            [row["id"] for row in unpaid],
        )
