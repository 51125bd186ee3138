"""Credits that work in progress reserves. The sums on the user row change in the same statement that guards them."""

from collections.abc import Sequence

from application.credits.ports import Holds
from domain.credits import VIEW_PRICE, Cause, InsufficientCredits
from domain.renders import ViewRender
from infrastructure.database.tally import Tally
from infrastructure.database.transaction import Transaction
from infrastructure.metrics.work import HELD, RETURNED

RESERVE = """
UPDATE users SET credits_held = credits_held + $2::bigint
WHERE id = $1 AND deleted_at IS NULL AND ($2::bigint = 0 OR credits - credits_held - credits_frozen >= $2::bigint)
"""
"""The guard: of the customer's credits ($1) so many ($2), or no row. Nothing can be had even below zero."""

_PLACE = f"""
WITH reserved AS ({RESERVE} RETURNING id)
INSERT INTO holds (view_id, round, user_id, amount, status, created_at)
SELECT wanted.view_id, wanted.round, reserved.id, $3, 'PENDING', wanted.accepted_at
FROM reserved, unnest($4::bigint[], $5::smallint[], $6::timestamptz[]) AS wanted(view_id, round, accepted_at)
RETURNING view_id
"""  # noqa: S608 - the guard above

# Each step takes what the one before brought: where there is no pending hold, none of the others does anything.
_POST = """
WITH resolved AS (
    UPDATE holds SET status = 'POSTED', resolved_at = now()
    WHERE view_id = $1 AND round = $2 AND status = 'PENDING'
    RETURNING user_id, amount
), spent AS (
    UPDATE users SET credits = credits - resolved.amount, credits_held = credits_held - resolved.amount
    FROM resolved WHERE users.id = resolved.user_id
    RETURNING users.id, users.credits, resolved.amount
)
INSERT INTO ledger_entries (user_id, amount, cause, natural_key, reference, balance_after, created_at)
SELECT id, -amount, $3, $4, $5, credits, now() FROM spent
RETURNING amount
"""

_VOID = """
WITH resolved AS (
    UPDATE holds SET status = 'VOIDED', resolved_at = now()
    WHERE view_id = $1 AND round = $2 AND status = 'PENDING'
    RETURNING user_id, amount
)
UPDATE users SET credits_held = credits_held - resolved.amount FROM resolved WHERE users.id = resolved.user_id
RETURNING resolved.amount
"""


class SqlHolds(Holds):
    def __init__(self, transaction: Transaction, tally: Tally) -> None:
        self._transaction = transaction
        self._tally = tally

    async def place(self, user_id: int, views: Sequence[ViewRender]) -> None:
        price = VIEW_PRICE * len(views)
        columns = zip(*((view.id, view.round, view.accepted_at) for view in views), strict=True)
        placed = await self._transaction.fetch(_PLACE, user_id, price, VIEW_PRICE, *map(list, columns))
        if not placed:
            raise InsufficientCredits(price)
        self._tally.credits_moved(HELD, price)

    async def post(self, view: ViewRender) -> None:
        key, reference = f"spend:{view.id}:{view.round}", f"image:{view.image_id}:{view.view}"
        for row in await self._transaction.fetch(_POST, view.id, view.round, Cause.SPEND, key, reference):
            self._tally.credits_moved(Cause.SPEND, row["amount"])

    async def void(self, view: ViewRender) -> None:
        for row in await self._transaction.fetch(_VOID, view.id, view.round):
            self._tally.credits_moved(RETURNED, row["amount"])
