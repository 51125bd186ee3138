"""What a try-on is made of: a style, a photo, and views that another try-on of both can lend."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from domain.views import Output, View


class Photo(Struct, frozen=True):
    """A customer's own photo."""

    id: int
    digest: bytes
    """By which the same photo is known again."""


class Materials(Struct, frozen=True):
    """What a request for a try-on names, as it stands now."""

    style_version: int | None
    """The prompt version of the style; None when there is no such style, or customers may not pick it."""
    photo: Photo | None
    asked_at: datetime


class Loan(Struct, frozen=True):
    """Views that need not be rendered, as another try-on has them."""

    lender: int
    """Its id."""
    outputs: dict[View, Output]


class TryOnMaterials(Protocol):
    async def find(self, owner: int, *, style_id: int, photo_key: str) -> Materials: ...

    async def loan(self, owner: int, *, style: tuple[int, int], digest: bytes, views: Sequence[View]) -> Loan | None:
        """Which of these views one of the owner's try-ons of this photo, style and prompt version can lend.

        All come from that one, whose front is among them: side views of another front would show another head of hair.
        It is the one that has the most of them, and of several the latest.
        """
        ...
