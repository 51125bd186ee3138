"""What a try-on is made of, in one statement or, where views are to be reused, two."""

from collections.abc import Sequence

from application.images.materials import Loan, Materials, Photo, TryOnMaterials
from domain.views import Output, View
from infrastructure.database.engine import ReadPool

_FIND = """
SELECT now() AS asked_at, photo.id AS photo_id, photo.digest, style.prompt_version
FROM (VALUES (1)) AS request
LEFT JOIN uploads AS photo ON photo.user_id = $1 AND photo.key = $3
LEFT JOIN styles AS style ON style.id = $2 AND style.is_active
"""

_LOAN = """
SELECT views.image_id, views.view, views.output_key, views.output_width, views.output_height
FROM views
WHERE views.status = 'COMPLETED' AND views.view = ANY($5::text[]) AND views.image_id = (
    SELECT images.id FROM images JOIN views ON views.image_id = images.id
    WHERE images.user_id = $1 AND images.deleted_at IS NULL
        AND images.style_id = $2 AND images.prompt_version = $3
        AND images.upload_id IN (SELECT id FROM uploads WHERE user_id = $1 AND digest = $4)
        AND views.status = 'COMPLETED' AND views.view = ANY($5::text[])
    GROUP BY images.id
    HAVING bool_or(views.view = 'front')
    ORDER BY count(*) DESC, images.id DESC LIMIT 1
)
"""


class SqlTryOnMaterials(TryOnMaterials):
    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool

    async def find(self, owner: int, *, style_id: int, photo_key: str) -> Materials:
        (found,) = await self._pool.fetch(_FIND, owner, style_id, photo_key)
        photo = None if found["photo_id"] is None else Photo(found["photo_id"], found["digest"])
        return Materials(found["prompt_version"], photo, found["asked_at"])

    async def loan(self, owner: int, *, style: tuple[int, int], digest: bytes, views: Sequence[View]) -> Loan | None:
        rows = await self._pool.fetch(_LOAN, owner, *style, digest, list(views))
        if not rows:
            return None
        made = {row["view"]: Output(row["output_key"], row["output_width"], row["output_height"]) for row in rows}
        return Loan(rows[0]["image_id"], {view: made[view] for view in views if view in made})
