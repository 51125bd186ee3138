"""The log of each try-on, read by whoever watches it."""

from collections.abc import Collection, Mapping, Sequence

import asyncpg

from application.images.ports import PictureStorage
from application.images.progress import ImageLog, ProgressEvent, ProgressItem, ProgressReader
from domain.views import TERMINAL, Status
from infrastructure.database.engine import ReadPool
from infrastructure.database.estimates import Outlook, SqlEstimates
from infrastructure.database.words import ERRORS, STATUSES, VIEWS

_EVENTS = """
    images.id AS image_id, images.status AS image_status,
    event.id, event.view, event.status, event.error, event.at, views.output_key
"""
_OUTPUT = "LEFT JOIN views ON views.image_id = event.image_id AND views.view = coalesce(event.view, 'front')"

_OF_IMAGE = f"""
SELECT {_EVENTS}
FROM images
LEFT JOIN image_events AS event ON event.image_id = images.id AND event.id > $3
{_OUTPUT}
WHERE images.id = $1 AND images.user_id = $2 AND images.deleted_at IS NULL
ORDER BY event.id
"""  # noqa: S608 - the columns above

_OF_IMAGES = f"""
SELECT {_EVENTS}
FROM unnest($2::bigint[], $3::integer[]) AS seen(image_id, id)
JOIN images ON images.id = seen.image_id AND images.user_id = $1 AND images.deleted_at IS NULL
JOIN image_events AS event ON event.image_id = images.id AND event.id > seen.id
{_OUTPUT}
ORDER BY images.id, event.id
"""  # noqa: S608 - the columns above

_LATEST = """
SELECT images.id AS image_id, coalesce(
    (SELECT max(image_events.id) FROM image_events WHERE image_events.image_id = images.id), 0
) AS id
FROM images WHERE user_id = $1 AND deleted_at IS NULL
"""


class SqlProgressReader(ProgressReader):
    def __init__(self, pool: ReadPool, storage: PictureStorage, estimates: SqlEstimates) -> None:
        self._pool = pool
        self._storage = storage
        self._estimates = estimates

    async def of_image(self, image_id: int, *, owner: int, after: int) -> ImageLog | None:
        rows = await self._pool.fetch(_OF_IMAGE, image_id, owner, after)
        if not rows:
            return None
        ended = STATUSES[rows[0]["image_status"]] in TERMINAL
        return ImageLog(await self._events([row for row in rows if row["id"] is not None]), ended)

    async def latest(self, owner: int) -> dict[int, int]:
        return {row["image_id"]: row["id"] for row in await self._pool.fetch(_LATEST, owner)}

    async def of_owner(
        self, owner: int, *, seen: Mapping[int, int], only: Collection[int] | None
    ) -> list[ProgressEvent]:
        if only is None:
            # Where each log ends is in an index; of a customer's hundreds, the logs of a few are then read.
            only = [image for image, last in (await self.latest(owner)).items() if last > seen.get(image, 0)]
        if not only:
            return []
        rows = await self._pool.fetch(_OF_IMAGES, owner, list(only), [seen.get(image, 0) for image in only])
        return await self._events(rows)

    async def _events(self, rows: Sequence[asyncpg.Record]) -> list[ProgressEvent]:
        open_images = {row["image_id"] for row in rows if STATUSES[row["image_status"]] not in TERMINAL}
        outlooks = await self._estimates.outlooks(open_images) if open_images else {}
        nothing = Outlook(None, None)
        return [await self._event(row, outlooks.get(row["image_id"], nothing)) for row in rows]

    async def _event(self, row: asyncpg.Record, outlook: Outlook) -> ProgressEvent:
        status = STATUSES[row["status"]]
        key = row["output_key"] if status is Status.COMPLETED else None
        item = ProgressItem(
            image_id=row["image_id"],
            view=VIEWS[row["view"]] if row["view"] else None,
            status=status,
            url=await self._storage.url(key) if key else None,
            error=ERRORS[row["error"]] if row["error"] else None,
            queue_position=outlook.queue_position,
            eta_seconds=outlook.eta_seconds,
            at=row["at"],
        )
        return ProgressEvent(row["id"], "view" if row["view"] else "image", item)
