from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.audit import AuditLog
from application.ports import UnitOfWork
from application.styles.named_style import read_style
from application.styles.ports import StyleDetails, StyleRecords, StyleRepository
from application.styles.thumbnails import NewThumbnail
from domain.styles import Category, Style, style_description, style_name, style_prompt, style_slug

Position = Annotated[int, Meta(ge=0, le=1_000_000)]


class AddStyle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slug: str
    name: str
    description: str
    category: Category
    front: str
    right: str
    left: str
    back: str
    position: Position | None = None
    """Where it stands in the catalogue; without it, at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddStyleHandler:
    """Add a style that customers do not see yet: an operator looks at it first, and activates it."""

    styles: StyleRepository
    thumbnails: NewThumbnail
    records: StyleRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: AddStyle, actor: Actor, *, thumbnail: bytes | None = None) -> StyleDetails:
        operator = actor.require_operator()
        style = Style(
            slug=style_slug(command.slug),
            name=style_name(command.name),
            description=style_description(command.description),
            category=command.category,
            thumbnail="",
            position=0,
            is_active=False,
        )
        views = ("front", "right", "left", "back")
        style.edit_prompts(*(style_prompt(getattr(command, view), field=view) for view in views))
        if thumbnail is not None:
            style.thumbnail = await self.thumbnails.store(style.slug, thumbnail)
        at_the_end = await self.styles.last_position() + 1
        style.position = at_the_end if command.position is None else command.position
        await self.styles.add(style)
        await self.audit.note(operator, "style.add", f"style:{style.id}", details={"slug": style.slug})
        await self.uow.commit()
        return await read_style(self.records, style.slug)
