from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.pages import DEFAULT_LIMIT, Page, id_in, page_of
from application.styles.ports import ALL_STYLES, StyleEntry, StyleFilter, StyleRecords


class ListAllStyles(Struct, frozen=True):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    only: StyleFilter = ALL_STYLES


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAllStylesHandler:
    """Show an operator the catalogue in its order, also what customers do not see of it."""

    records: StyleRecords

    async def __call__(self, query: ListAllStyles, actor: Actor) -> Page[StyleEntry]:
        actor.require_operator()
        styles = await self.records.styles(after=id_in(query.cursor), limit=query.limit + 1, only=query.only)
        return page_of(styles, query.limit)
