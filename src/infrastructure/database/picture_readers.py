"""What a customer's pictures are, with their keys in storage: columns straight into records, no entities."""

from collections.abc import Sequence
from itertools import groupby

import asyncpg

from application.images.upload_ports import UploadReader, UploadRecord
from application.users.ports import TryOnReader, TryOnRecord, ViewRecord
from domain.identifiers import LARGEST_ID
from domain.views import Status, View, ViewError
from infrastructure.database.engine import ReadPool


class SqlUploadReader(UploadReader):
    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[UploadRecord]:
        rows = await self._pool.fetch(
            """
            SELECT id, key, width, height, size, created_at
            FROM uploads WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
            """,
            owner,
            LARGEST_ID if before is None else before,
            limit,
        )
        return [UploadRecord(*row) for row in rows]

    async def distinct(self, owner: int, *, before: int | None, limit: int) -> list[UploadRecord]:
        rows = await self._pool.fetch(
            """
            SELECT id, key, width, height, size, created_at
            FROM uploads WHERE user_id = $1 AND id < $2 AND NOT EXISTS (
                SELECT FROM uploads AS later
                WHERE later.user_id = $1 AND later.digest = uploads.digest AND later.id > uploads.id
            )
            ORDER BY id DESC LIMIT $3
            """,
            owner,
            LARGEST_ID if before is None else before,
            limit,
        )
        return [UploadRecord(*row) for row in rows]


class SqlTryOnReader(TryOnReader):
    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[TryOnRecord]:
        rows = await self._pool.fetch(
            """
            SELECT images.id, images.upload_id, styles.name AS style, images.status, images.is_favourite,
                images.created_at, views.view, views.status AS view_status, views.error, views.output_key,
                views.accepted_at, views.finished_at
            FROM (
                SELECT * FROM images
                WHERE user_id = $1 AND deleted_at IS NULL AND id < $2
                ORDER BY id DESC LIMIT $3
            ) AS images
            JOIN styles ON styles.id = images.style_id
            JOIN views ON views.image_id = images.id
            ORDER BY images.id DESC, views.id
            """,
            owner,
            LARGEST_ID if before is None else before,
            limit,
        )
        return [_try_on(list(of_one)) for _, of_one in groupby(rows, key=lambda row: row["id"])]


def _try_on(rows: Sequence[asyncpg.Record]) -> TryOnRecord:
    """Make one try-on's record from its rows, one per view."""
    first = rows[0]
    return TryOnRecord(
        id=first["id"],
        upload_id=first["upload_id"],
        style=first["style"],
        status=Status(first["status"]),
        is_favourite=first["is_favourite"],
        created_at=first["created_at"],
        views=[
            ViewRecord(
                view=View(row["view"]),
                status=Status(row["view_status"]),
                error=ViewError(row["error"]) if row["error"] else None,
                key=row["output_key"],
                accepted_at=row["accepted_at"],
                finished_at=row["finished_at"],
            )
            for row in rows
        ],
    )
