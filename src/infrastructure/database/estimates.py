"""How long try-ons will take yet: what the latest renders took, and how many wait before one."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

from application.images.estimates import Estimates, Pace, Paces, ViewTimes
from domain.views import TERMINAL, Status, View
from infrastructure.database.engine import ReadPool

_FRESH_SECONDS = 3.0

# Without attempts, a view was lent by another try-on, which takes no time. While the gate to the provider is closed,
# until an answer has opened it, nobody can say.
_PACES = """
SELECT wanted.view,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY latest.seconds) AS median,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY latest.seconds) AS p90
FROM unnest($1::text[]) AS wanted(view)
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM views.finished_at - greatest(views.accepted_at, front.finished_at))::float8 AS seconds
    FROM views
    LEFT JOIN views AS front ON front.image_id = views.image_id AND front.view = 'front' AND views.view <> 'front'
    WHERE views.view = wanted.view AND views.status = 'COMPLETED' AND views.attempt > 0
    ORDER BY views.finished_at DESC LIMIT 200
) AS latest
WHERE NOT EXISTS (SELECT FROM model_gates WHERE model = $2 AND closed_until IS NOT NULL)
GROUP BY wanted.view
"""

_TIMES = """
SELECT image_id, images.status AS image_status, view, views.status AS view_status, accepted_at, finished_at,
    now() AS asked_at
FROM views JOIN images ON images.id = views.image_id
WHERE image_id = ANY($1::bigint[]) ORDER BY image_id
"""

# Along the index of those that wait, and never further than a thousand of them.
_QUEUE = """
SELECT front.image_id, (
    SELECT count(*) FROM (
        SELECT FROM views
        WHERE status IN ('PENDING', 'PROCESSING') AND prediction_id IS NULL AND id < front.id
        LIMIT 1000
    ) AS before
) AS ahead
FROM views AS front WHERE front.image_id = ANY($1::bigint[]) AND front.view = 'front'
"""


class Outlook(Struct, frozen=True):
    """What is ahead of an open try-on."""

    queue_position: int | None
    eta_seconds: float | None


class SqlEstimates(Estimates):
    def __init__(self, pool: ReadPool, *, model: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._model = model
        self._monotonic = monotonic
        self._one_at_a_time = asyncio.Lock()
        self._paces = Paces()
        self._read_at = float("-inf")

    async def paces(self) -> Paces:
        if not self._is_fresh:
            async with self._one_at_a_time:
                if not self._is_fresh:
                    self._paces = await self._read()
                    self._read_at = self._monotonic()
        return self._paces

    async def queue_positions(self, image_ids: Collection[int]) -> dict[int, int]:
        """Places of waiting try-ons among the views that are not with the provider yet, from 1 on: exact up to 1,000.

        Whoever stands further back is told 1,001, so that a long queue does not make every look at it long.
        """
        rows = await self._pool.fetch(_QUEUE, list(image_ids))
        return {row["image_id"]: row["ahead"] + 1 for row in rows}

    async def eta(self, rows: Sequence[Mapping[str, Any]]) -> float | None:
        """Seconds until the views of these rows have ended.

        Each row has `view`, `view_status`, `accepted_at`, `finished_at` and `asked_at`.
        """
        views = [
            ViewTimes(
                View(row["view"]),
                row["view_status"] not in TERMINAL,
                row["accepted_at"],
                row["finished_at"],
            )
            for row in rows
        ]
        return (await self.paces()).eta(views, rows[0]["asked_at"])

    async def outlooks(self, image_ids: Collection[int]) -> dict[int, Outlook]:
        """Of each of these open try-ons."""
        rows = await self._pool.fetch(_TIMES, list(image_ids))
        waiting = {row["image_id"] for row in rows if row["image_status"] == Status.PENDING}
        places = await self.queue_positions(waiting) if waiting else {}
        return {
            image_id: Outlook(places.get(image_id), await self.eta(list(views)))
            for image_id, views in groupby(rows, key=lambda row: int(row["image_id"]))
        }

    @property
    def _is_fresh(self) -> bool:
        return self._monotonic() - self._read_at < _FRESH_SECONDS

    async def _read(self) -> Paces:
        rows = await self._pool.fetch(_PACES, list(View), self._model)
        return Paces({View(row["view"]): Pace(row["median"], row["p90"]) for row in rows})
