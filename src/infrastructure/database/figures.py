"""Figures by day, each from one query along an index of times: so they cost what the days hold, not the tables."""

from datetime import date

from application.analytics.ports import CreditDay, Figures, RenderDay, RevenueDay, SignUpDay, StyleDay
from domain.views import View
from infrastructure.database.engine import LONG_SECONDS, ReadPool


def _within(moment: str) -> str:
    """Between the begin of the first day and the end of the last, in UTC."""
    return (
        f"{moment} >= $1::date::timestamp AT TIME ZONE 'UTC' "
        f"AND {moment} < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'"
    )


def _day(moment: str) -> str:
    return f"({moment} AT TIME ZONE 'UTC')::date"


_SIGN_UPS = f"""
SELECT {_day("created_at")} AS day, count(*) AS users
FROM users WHERE {_within("created_at")}
GROUP BY day ORDER BY day
"""  # noqa: S608 - the expressions above

_RENDERS = f"""
SELECT day, count(*) AS accepted, count(*) FILTER (WHERE completed) AS completed,
    count(*) FILTER (WHERE failed) AS failed, count(*) FILTER (WHERE status = 'CANCELLED') AS cancelled,
    round(avg(completed::int) FILTER (WHERE completed OR failed), 4)::float8 AS success_rate,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median_seconds,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS p90_seconds
FROM (
    SELECT {_day("accepted_at")} AS day, status, status = 'COMPLETED' AS completed, status = 'FAILED' AS failed,
        CASE WHEN status = 'COMPLETED' AND attempt > 0
            THEN extract(epoch FROM finished_at - accepted_at)::float8 END AS seconds
    FROM views WHERE {_within("accepted_at")}
) AS accepted
GROUP BY day ORDER BY day
"""  # noqa: S608 - the expressions above

# The names are joined to the sums, of which there are few. A style is looked up by each try-on's key: in a join,
# PostgreSQL would rather read every try-on there ever was than as many as the days hold.
_STYLES = f"""
SELECT day, style_id, styles.name AS style_name, view, accepted, completed, failed
FROM (
    SELECT day, style_id, view, count(*) AS accepted,
        count(*) FILTER (WHERE status = 'COMPLETED') AS completed, count(*) FILTER (WHERE status = 'FAILED') AS failed
    FROM (
        SELECT {_day("accepted_at")} AS day, view, status,
            (SELECT style_id FROM images WHERE images.id = image_id) AS style_id
        FROM views WHERE {_within("accepted_at")}
    ) AS accepted
    GROUP BY day, style_id, view
) AS sums
JOIN styles ON styles.id = style_id
ORDER BY day, style_id, view
"""  # noqa: S608 - the expressions above

_CREDITS = f"""
SELECT {_day("moved_at")} AS day,
    coalesce(sum(amount) FILTER (WHERE cause = 'purchase'), 0)::bigint AS sold,
    coalesce(sum(amount) FILTER (WHERE cause IN ('grant', 'signup')), 0)::bigint AS granted,
    coalesce(-sum(amount) FILTER (WHERE cause = 'spend'), 0)::bigint AS spent,
    coalesce(sum(amount) FILTER (WHERE cause = 'returned'), 0)::bigint AS returned,
    coalesce(-sum(amount) FILTER (WHERE cause IN ('revoke', 'refund', 'dispute', 'dispute_reversal')), 0)::bigint
        AS taken_back
FROM (
    SELECT created_at AS moved_at, cause, amount FROM ledger_entries WHERE {_within("created_at")}
    UNION ALL
    SELECT resolved_at, 'returned', amount FROM holds WHERE status = 'VOIDED' AND {_within("resolved_at")}
) AS moved
GROUP BY day ORDER BY day
"""  # noqa: S608 - the expressions above


_REVENUE = f"""
SELECT {_day("created_at")} AS day, currency, count(*) AS purchases, sum(amount)::bigint AS paid
FROM transactions
WHERE {_within("created_at")} AND status IN ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED')
GROUP BY day, currency ORDER BY day, currency
"""  # noqa: S608 - the expressions above


class SqlFigures(Figures):
    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def sign_ups(self, since: date, until: date) -> list[SignUpDay]:
        return [SignUpDay(**row) for row in await self._pool.fetch(_SIGN_UPS, since, until, seconds=LONG_SECONDS)]

    async def renders(self, since: date, until: date) -> list[RenderDay]:
        return [RenderDay(**row) for row in await self._pool.fetch(_RENDERS, since, until, seconds=LONG_SECONDS)]

    async def styles(self, since: date, until: date) -> list[StyleDay]:
        rows = await self._pool.fetch(_STYLES, since, until, seconds=LONG_SECONDS)
        return [StyleDay(**{**row, "view": View(row["view"])}) for row in rows]

    async def credits(self, since: date, until: date) -> list[CreditDay]:
        return [CreditDay(**row) for row in await self._pool.fetch(_CREDITS, since, until, seconds=LONG_SECONDS)]

    async def revenue(self, since: date, until: date) -> list[RevenueDay]:
        return [RevenueDay(**row) for row in await self._pool.fetch(_REVENUE, since, until, seconds=LONG_SECONDS)]
