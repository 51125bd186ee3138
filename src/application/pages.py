"""Keyset pages: a cursor names the last item seen, so that pages stay quick and steady while things are added."""

import base64
import binascii
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from domain.errors import Invalid
from domain.identifiers import LARGEST_ID

Item = TypeVar("Item")

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100


class Page(Struct, Generic[Item], frozen=True):
    items: list[Item]
    next_cursor: str | None


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=Numbered)


def page_of(rows: list[Row], limit: int) -> Page[Row]:
    """A page of what was asked for with one row beyond the limit, which tells whether there is another page."""
    return Page(rows[:limit], cursor_after(rows[limit - 1].id) if len(rows) > limit else None)


def cursor_after(item_id: int) -> str:
    return base64.urlsafe_b64encode(str(item_id).encode()).decode().rstrip("=")


def id_in(cursor: str | None) -> int | None:
    """The id a cursor stands for, or `Invalid`."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(LARGEST_ID)) or int(text) > LARGEST_ID:
        raise Invalid("validation_failed", "This cursor was not made by this API.", field="cursor")
    return int(text)
