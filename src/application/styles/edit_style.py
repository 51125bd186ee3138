from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog
from application.ports import UnitOfWork
from application.styles.add_style import Position
from application.styles.named_style import claim_style, read_style
from application.styles.ports import StyleDetails, StyleRecords, StyleRepository
from application.styles.thumbnails import NewThumbnail
from domain.errors import Invalid
from domain.styles import Category, Style, style_description, style_name, style_prompt

_VIEWS = ("front", "right", "left", "back")


class EditStyle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; None stays as it is."""

    name: str | None = None
    description: str | None = None
    category: Category | None = None
    position: Position | None = None
    front: str | None = None
    right: str | None = None
    left: str | None = None
    back: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditStyleHandler:
    """Change what customers see of a style, or its prompts.

    Other words in a prompt make a new version; try-ons keep the version that they were accepted with.
    """

    styles: StyleRepository
    thumbnails: NewThumbnail
    records: StyleRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(
        self, command: EditStyle, actor: Actor, *, style: str, thumbnail: bytes | None = None
    ) -> StyleDetails:
        operator = actor.require_operator()
        if command == EditStyle() and thumbnail is None:
            raise Invalid("validation_failed", "Say what is to be changed.")
        key = None
        if thumbnail is not None:
            key = await self.thumbnails.store((await read_style(self.records, style)).slug, thumbnail)
        edited = await claim_style(self.styles, style)
        changed = _show_otherwise(edited, command, key)
        if _ask_otherwise(edited, command):
            changed.append("prompts")
        if changed:
            details = {"changed": changed, "prompt_version": edited.prompt_version}
            await self.audit.note(operator, "style.edit", f"style:{edited.id}", details=details)
        await self.uow.commit()
        return await read_style(self.records, edited.slug)


def _show_otherwise(style: Style, command: EditStyle, thumbnail: str | None) -> list[str]:
    """Change what customers see; returns the names of what differs now."""
    wanted = {
        "name": None if command.name is None else style_name(command.name),
        "description": None if command.description is None else style_description(command.description),
        "category": command.category,
        "position": command.position,
        "thumbnail": thumbnail,
    }
    changed = [name for name, value in wanted.items() if value is not None and value != getattr(style, name)]
    for name in changed:
        setattr(style, name, wanted[name])
    return changed


def _ask_otherwise(style: Style, command: EditStyle) -> bool:
    """Change the prompts; tells whether that made a new version."""
    words = []
    for view in _VIEWS:
        wanted = getattr(command, view)
        words.append(getattr(style.current_prompts, view) if wanted is None else style_prompt(wanted, field=view))
    return style.edit_prompts(*words)
