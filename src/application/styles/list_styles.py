from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.pages import Page
from application.styles.ports import StyleItem, StyleReader
from domain.styles import Category


class ListStyles(Struct, frozen=True):
    category: Category | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStylesHandler:
    """The catalogue as customers see it: active styles, in order, on one page, without their prompts."""

    styles: StyleReader

    async def __call__(self, query: ListStyles, actor: Actor) -> Page[StyleItem]:
        return Page(await self.styles.active(query.category), None)
