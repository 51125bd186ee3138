"""How operators read the catalogue."""

from collections.abc import Mapping
from typing import Any

from application.images.ports import PictureStorage
from application.styles.ports import (
    CataloguedStyle,
    PromptVersion,
    StyleDetails,
    StyleEntry,
    StyleFilter,
    StyleRecords,
)
from domain.styles import Category
from infrastructure.database.engine import ReadPool

_ENTRY = "id, slug, name, description, category, position, is_active, prompt_version, thumbnail"

_STYLES = f"""
SELECT {_ENTRY}
FROM styles
WHERE ($1::bigint IS NULL OR (position, id) > (SELECT position, id FROM styles WHERE id = $1))
    AND ($3::text IS NULL OR category = $3)
    AND ($4::boolean IS NULL OR is_active = $4)
ORDER BY position, id LIMIT $2
"""  # noqa: S608 - the columns above

_STYLE = f"SELECT {_ENTRY} FROM styles WHERE CASE WHEN $1::bigint IS NULL THEN slug = $2 ELSE id = $1 END"  # noqa: S608

_PROMPTS = """
SELECT version, front, "right", "left", back FROM style_prompts WHERE style_id = $1 ORDER BY version DESC
"""

_CATALOGUE = """
SELECT slug, name, description, category, thumbnail, is_active, front, "right", "left", back
FROM styles JOIN style_prompts ON style_id = id AND version = prompt_version
ORDER BY position, id
"""


class SqlStyleRecords(StyleRecords):
    def __init__(self, pool: ReadPool, storage: PictureStorage) -> None:
        self._pool = pool
        self._storage = storage

    async def styles(self, *, after: int | None, limit: int, only: StyleFilter) -> list[StyleEntry]:
        rows = await self._pool.fetch(_STYLES, after, limit, only.category, only.is_active)
        return [StyleEntry(**await self._entry(row)) for row in rows]

    async def style(self, named: int | str) -> StyleDetails | None:
        style_id, slug = (named, None) if isinstance(named, int) else (None, named)
        row = await self._pool.fetchrow(_STYLE, style_id, slug)
        if row is None:
            return None
        prompts = await self._pool.fetch(_PROMPTS, row["id"])
        return StyleDetails(**await self._entry(row), prompts=[PromptVersion(**prompt) for prompt in prompts])

    async def catalogue(self) -> list[CataloguedStyle]:
        rows = await self._pool.fetch(_CATALOGUE)
        return [CataloguedStyle(**{**row, "category": Category(row["category"])}) for row in rows]

    async def _entry(self, row: Mapping[str, Any]) -> dict[str, Any]:
        shown = {name: value for name, value in row.items() if name != "thumbnail"}
        url = await self._storage.url(row["thumbnail"]) if row["thumbnail"] else None
        return shown | {"category": Category(row["category"]), "thumbnail_url": url}
