"""How operators name a style: by its id or its slug."""

from application.styles.ports import StyleDetails, StyleRecords, StyleRepository
from application.users.named_user import named_id
from domain.errors import NotFound
from domain.styles import Style


async def claim_style(styles: StyleRepository, slug_or_id: str) -> Style:
    """The style, kept to this transaction until it ends, or `NotFound` (`style_not_found`)."""
    style = await styles.claim(_named(slug_or_id))
    if style is None:
        raise _unknown(slug_or_id)
    return style


async def read_style(records: StyleRecords, slug_or_id: str) -> StyleDetails:
    """The style as operators see it, or `NotFound` (`style_not_found`)."""
    style = await records.style(_named(slug_or_id))
    if style is None:
        raise _unknown(slug_or_id)
    return style


def _named(slug_or_id: str) -> int | str:
    style_id = named_id(slug_or_id)
    return slug_or_id if style_id is None else style_id


def _unknown(slug_or_id: str) -> NotFound:
    return NotFound("style_not_found", f"There is no style {slug_or_id}.")
