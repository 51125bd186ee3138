"""How operators read what is to be done."""

from application.queue.ports import Backlog, BacklogReader
from domain.views import Status
from infrastructure.database.engine import ReadPool

# Along the indexes of open views, and over an outbox that holds what is not done yet. A row that a worker has taken is
# due until it is struck out.
_BACKLOG = """
SELECT open_views.*, announced.*, gate.*
FROM (
    SELECT count(*) FILTER (WHERE status = 'PENDING') AS views_pending,
        count(*) FILTER (WHERE status = 'PROCESSING') AS views_processing,
        count(*) FILTER (WHERE prediction_id IS NULL) AS views_without_prediction,
        count(*) FILTER (WHERE prediction_id IS NOT NULL AND prediction IS NULL) AS predictions_in_flight,
        count(*) FILTER (WHERE prediction IS NOT NULL) AS outputs_to_store,
        count(*) FILTER (WHERE deadline_at <= now()) AS views_overdue
    FROM views WHERE status IN ('PENDING', 'PROCESSING')
) AS open_views
CROSS JOIN (
    SELECT count(*) FILTER (WHERE is_due) AS outbox_due, count(*) FILTER (WHERE NOT is_due) AS outbox_scheduled,
        extract(epoch FROM now() - min(created_at) FILTER (WHERE is_due))::float8 AS outbox_oldest_seconds
    FROM (
        SELECT created_at, deliveries > 0 OR due_at <= now() AS is_due FROM outbox
    ) AS rows
) AS announced
LEFT JOIN (
    SELECT closed_until AS gate_closed_until, reason AS gate_reason FROM model_gates WHERE model = $1
) AS gate ON true
"""

_LAST_HOUR = """
SELECT status, count(*) FROM views WHERE accepted_at > now() - interval '1 hour' GROUP BY status
"""

_OPEN_IMAGES = """
SELECT DISTINCT image_id FROM views
WHERE status IN ('PENDING', 'PROCESSING') AND image_id > $1
ORDER BY image_id LIMIT $2
"""


class SqlBacklog(BacklogReader):
    def __init__(self, pool: ReadPool, *, model: str) -> None:
        self._pool = pool
        self._model = model

    async def backlog(self) -> Backlog:
        (row,) = await self._pool.fetch(_BACKLOG, self._model)
        counted = {Status(status): count for status, count in await self._pool.fetch(_LAST_HOUR)}
        return Backlog(**row, views_of_last_hour={status: counted.get(status, 0) for status in Status})

    async def open_images(self, *, after: int, limit: int) -> list[int]:
        return [row["image_id"] for row in await self._pool.fetch(_OPEN_IMAGES, after, limit)]
