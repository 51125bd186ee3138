"""How operators read try-ons."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from application.images.image_records import (
    ImageDetails,
    ImageEntry,
    ImageEvent,
    ImageFilter,
    ImageRecords,
    ViewDetails,
    ViewEntry,
)
from application.images.ports import PictureStorage
from domain.credits import HoldStatus
from domain.identifiers import LARGEST_ID
from domain.views import Status, View, ViewError
from infrastructure.database.engine import ReadPool

_HEAD = """
    images.id, images.user_id, users.email, images.style_id, styles.name AS style_name, images.status,
    images.created_at, images.deleted_at
"""
_HEAD_FIELDS = frozenset(ImageEntry.__struct_fields__) - {"views"}


def _images(deleted: str) -> str:
    """Walk along the ids; those of one customer that are not deleted along the index of the gallery."""
    return f"""
SELECT {_HEAD}, views.view, views.status AS view_status, views.error
FROM (
    SELECT * FROM images
    WHERE id < $1 AND deleted_at {deleted}
        AND ($3::bigint IS NULL OR user_id = $3)
        AND ($4::bigint IS NULL OR style_id = $4)
        AND ($5::text IS NULL OR status = $5)
    ORDER BY id DESC LIMIT $2
) AS images
JOIN users ON users.id = images.user_id
JOIN styles ON styles.id = images.style_id
JOIN views ON views.image_id = images.id
ORDER BY images.id DESC, views.id
"""  # noqa: S608 - the columns above and the conditions below


_KEPT, _DELETED = _images("IS NULL"), _images("IS NOT NULL")

_IMAGE = f"""
SELECT {_HEAD}, images.prompt_version, images.is_favourite, uploads.key AS input_key,
    views.id AS view_id, views.view, views.status AS view_status, views.round, views.attempt, views.error,
    views.prediction_id, views.output_key, views.accepted_at, views.due_at, views.lease_until, views.expires_at,
    views.deadline_at, views.finished_at, holds.status AS hold
FROM images
JOIN users ON users.id = images.user_id
JOIN styles ON styles.id = images.style_id
LEFT JOIN uploads ON uploads.id = images.upload_id
JOIN views ON views.image_id = images.id
LEFT JOIN holds ON holds.view_id = views.id AND holds.round = views.round
WHERE images.id = $1
ORDER BY views.id
"""  # noqa: S608 - the columns above

_LOG = "SELECT view, status, error, at FROM image_events WHERE image_id = $1 ORDER BY id"


class SqlImageRecords(ImageRecords):
    def __init__(self, pool: ReadPool, storage: PictureStorage) -> None:
        self._pool = pool
        self._storage = storage

    async def images(self, *, before: int | None, limit: int, only: ImageFilter) -> list[ImageEntry]:
        rows = await self._pool.fetch(
            _DELETED if only.is_deleted else _KEPT,
            LARGEST_ID if before is None else before,
            limit,
            only.user_id,
            only.style_id,
            only.status,
        )
        of_each = [list(views) for _, views in groupby(rows, key=lambda row: row["id"])]
        return [ImageEntry(**_head(views[0]), views=[ViewEntry(**_view(row)) for row in views]) for views in of_each]

    async def image(self, image_id: int) -> ImageDetails | None:
        rows = await self._pool.fetch(_IMAGE, image_id)
        if not rows:
            return None
        first, log = rows[0], await self._pool.fetch(_LOG, image_id)
        return ImageDetails(
            **_head(first),
            views=[await self._details(row) for row in rows],
            prompt_version=first["prompt_version"],
            is_favourite=first["is_favourite"],
            input_image_url=await self._url(first["input_key"]),
            log=[
                ImageEvent(
                    View(row["view"]) if row["view"] else None,
                    Status(row["status"]),
                    ViewError(row["error"]) if row["error"] else None,
                    row["at"],
                )
                for row in log
            ],
        )

    async def _details(self, row: Mapping[str, Any]) -> ViewDetails:
        times = ("accepted_at", "due_at", "lease_until", "expires_at", "deadline_at", "finished_at")
        return ViewDetails(
            **_view(row),
            id=row["view_id"],
            round=row["round"],
            attempt=row["attempt"],
            hold=HoldStatus(row["hold"]) if row["hold"] else None,
            prediction_id=row["prediction_id"],
            output_url=await self._url(row["output_key"]),
            **{name: row[name] for name in times},
        )

    async def _url(self, key: str | None) -> str | None:
        return await self._storage.url(key) if key else None


def _head(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _HEAD_FIELDS} | {"status": Status(row["status"])}


def _view(row: Mapping[str, Any]) -> dict[str, Any]:
    error = ViewError(row["error"]) if row["error"] else None
    return {"view": View(row["view"]), "status": Status(row["view_status"]), "error": error}
