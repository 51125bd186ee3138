"""How try-ons are read: columns straight into the answer, no entities."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from application.images.ports import (
    EVERYTHING,
    ErrorItem,
    GalleryFilter,
    ImageItem,
    ImageReader,
    ImageStatus,
    PictureStorage,
    RenderOrder,
    RenderReader,
    ViewItem,
)
from domain.identifiers import LARGEST_ID
from domain.views import TERMINAL, Status, View
from infrastructure.database.engine import ReadPool
from infrastructure.database.estimates import SqlEstimates
from infrastructure.database.words import ERRORS, STATUSES, VIEWS

_COLUMNS = """
    images.id, images.status, images.style_id, images.is_favourite, images.created_at,
    styles.name AS style_name, styles.description, uploads.key AS input_key,
    views.view, views.status AS view_status, views.output_key, views.error, views.accepted_at, views.finished_at
"""

STATUS_QUERY = f"""
SELECT {_COLUMNS}, now() AS asked_at
FROM images
JOIN styles ON styles.id = images.style_id
JOIN uploads ON uploads.id = images.upload_id
JOIN views ON views.image_id = images.id
WHERE images.id = $1 AND images.user_id = $2 AND images.deleted_at IS NULL
ORDER BY views.id
"""  # noqa: S608 - the columns above


def _gallery_query(conditions: str = "") -> str:
    return f"""
SELECT {_COLUMNS}
FROM (
    SELECT * FROM images
    WHERE user_id = $1 AND deleted_at IS NULL AND id < $2 {conditions}
    ORDER BY id DESC LIMIT $3
) AS images
JOIN styles ON styles.id = images.style_id
JOIN uploads ON uploads.id = images.upload_id
JOIN views ON views.image_id = images.id
ORDER BY images.id DESC, views.id
"""  # noqa: S608 - the columns above and the conditions below


GALLERY_QUERY = _gallery_query()
# Walks along the same index, whatever the filter, to the end of the page or of the customer's own few try-ons.
_FILTERED_GALLERY_QUERY = _gallery_query("""
    AND ($4::boolean IS NULL OR is_favourite = $4)
    AND ($5::bigint IS NULL OR style_id = $5)
    AND ($6::text IS NULL OR status = $6)
""")

_FORGOTTEN = timedelta(seconds=60)
"""A view that has waited this long for a worker, and that no outbox row announces, is announced again."""


class SqlImageReader(ImageReader):
    def __init__(self, pool: ReadPool, storage: PictureStorage, estimates: SqlEstimates) -> None:
        self._pool = pool
        self._storage = storage
        self._estimates = estimates

    async def status(self, image_id: int, *, owner: int) -> ImageStatus | None:
        rows = await self._pool.fetch(STATUS_QUERY, image_id, owner)
        if not rows:
            return None
        status = rows[0]["status"]
        places = await self._estimates.queue_positions([image_id]) if status == Status.PENDING else {}
        eta = None if status in TERMINAL else await self._estimates.eta(rows)
        return ImageStatus(**await self._item(rows), queue_position=places.get(image_id), eta_seconds=eta)

    async def gallery(
        self, owner: int, *, before: int | None, limit: int, only: GalleryFilter = EVERYTHING
    ) -> list[ImageItem]:
        place = (owner, LARGEST_ID if before is None else before, limit)
        if only == EVERYTHING:
            rows = await self._pool.fetch(GALLERY_QUERY, *place)
        else:
            rows = await self._pool.fetch(
                _FILTERED_GALLERY_QUERY, *place, only.is_favourite, only.style_id, only.status
            )
        items = []
        start = 0
        for end in range(1, len(rows) + 1):
            if end == len(rows) or rows[end]["id"] != rows[start]["id"]:
                items.append(ImageItem(**await self._item(rows[start:end])))
                start = end
        return items

    async def _item(self, rows: Sequence[asyncpg.Record]) -> dict[str, Any]:
        """Make one try-on's answer from its rows, one per view."""
        first = rows[0]
        views: list[ViewItem] = []
        urls: dict[View, str] = {}
        front_error: ErrorItem | None = None
        stored_last: datetime | None = None
        for row in rows:
            view, status = VIEWS[row["view"]], STATUSES[row["view_status"]]
            url = taken = error = None
            if status is Status.COMPLETED:
                url = urls[view] = await self._storage.url(row["output_key"])
                finished = row["finished_at"]
                taken = (finished - row["accepted_at"]).total_seconds()
                stored_last = max(stored_last, finished) if stored_last else finished
            elif status is Status.FAILED:
                error = ERRORS[row["error"]]
                if view is View.FRONT:
                    front_error = ErrorItem(error, error.message)
            views.append(ViewItem(view, status, url, error, taken))
        status = STATUSES[first["status"]]
        complete = status is Status.COMPLETED and stored_last is not None
        return {
            "id": first["id"],
            "status": status,
            "style_id": first["style_id"],
            "style_name": first["style_name"],
            "description": first["description"],
            "input_image_url": await self._storage.url(first["input_key"]),
            "output_image_url": urls.get(View.FRONT),
            "right_view_url": urls.get(View.RIGHT),
            "left_view_url": urls.get(View.LEFT),
            "back_view_url": urls.get(View.BACK),
            "views": views,
            "is_favourite": first["is_favourite"],
            "time_taken": (stored_last - first["created_at"]).total_seconds() if complete and stored_last else None,
            "error": front_error if status is Status.FAILED else None,
            "created_at": first["created_at"],
        }


class SqlRenderReader(RenderReader):
    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def order(self, view_id: int) -> RenderOrder:
        row = await self._pool.fetchrow(
            """
            SELECT CASE views.view
                    WHEN 'front' THEN prompts.front WHEN 'right' THEN prompts.right
                    WHEN 'left' THEN prompts.left WHEN 'back' THEN prompts.back END AS prompt,
                CASE views.view WHEN 'front' THEN uploads.key ELSE front.output_key END AS input_key
            FROM views
            JOIN images ON images.id = views.image_id
            JOIN uploads ON uploads.id = images.upload_id
            JOIN style_prompts AS prompts
                ON prompts.style_id = images.style_id AND prompts.version = images.prompt_version
            JOIN views AS front ON front.image_id = images.id AND front.view = 'front'
            WHERE views.id = $1
            """,
            view_id,
        )
        if row is None:
            raise LookupError(f"View {view_id} has no order.")
        return RenderOrder(row["prompt"], row["input_key"])

    async def overdue(self, limit: int) -> list[int]:
        rows = await self._pool.fetch(
            """
            SELECT id FROM views
            WHERE status IN ('PENDING', 'PROCESSING') AND (
                deadline_at <= now() OR expires_at <= now() OR lease_until <= now()
                OR (lease_until IS NULL AND poll_at IS NULL AND due_at <= now() - $2::interval AND (
                    view = 'front' OR EXISTS (
                        SELECT FROM views AS front
                        WHERE front.image_id = views.image_id AND front.view = 'front' AND front.status = 'COMPLETED'
                    )
                ) AND NOT EXISTS (
                    SELECT FROM outbox
                    WHERE job = CASE WHEN views.prediction IS NULL THEN 'submit_view' ELSE 'finish_view' END
                        AND (payload ->> 'view_id')::bigint = views.id
                ))
            )
            ORDER BY due_at LIMIT $1
            """,
            limit,
            _FORGOTTEN,
        )
        return [row["id"] for row in rows]

    async def due_for_poll(self, limit: int, *, besides: Collection[int] = ()) -> list[int]:
        rows = await self._pool.fetch(
            """
            SELECT id FROM views
            WHERE status IN ('PENDING', 'PROCESSING') AND poll_at <= now() AND id <> ALL($2::bigint[])
            ORDER BY poll_at LIMIT $1
            """,
            limit,
            list(besides),
        )
        return [row["id"] for row in rows]
