from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.styles.named_style import read_style
from application.styles.ports import StyleDetails, StyleRecords


class ShowStyle(Struct, frozen=True):
    style: str
    """A slug or an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowStyleHandler:
    """Show an operator a style with every version of its prompts."""

    records: StyleRecords

    async def __call__(self, query: ShowStyle, actor: Actor) -> StyleDetails:
        actor.require_operator()
        return await read_style(self.records, query.style)
