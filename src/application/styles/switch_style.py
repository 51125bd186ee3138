from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.audit import AuditLog
from application.ports import UnitOfWork
from application.styles.named_style import claim_style, read_style
from application.styles.ports import StyleDetails, StyleRecords, StyleRepository


class SwitchStyle(Struct, frozen=True):
    style: str
    """A slug or an id."""
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchStyleHandler:
    """Let customers pick a style, or not any more."""

    styles: StyleRepository
    records: StyleRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: SwitchStyle, actor: Actor) -> StyleDetails:
        operator = actor.require_operator()
        style = await claim_style(self.styles, command.style)
        if command.is_active:
            style.activate()
        else:
            style.deactivate()
        action = "style.activate" if command.is_active else "style.deactivate"
        await self.audit.note(operator, action, f"style:{style.id}")
        await self.uow.commit()
        return await read_style(self.records, style.slug)
