from dataclasses import dataclass

from application.actor import Actor
from application.events import PictureDiscarded
from application.images.ports import PictureStorage


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardPictureHandler:
    """Remove a picture's file that no record names any more. Raises `Unavailable` when storage is away."""

    storage: PictureStorage

    async def __call__(self, event: PictureDiscarded, actor: Actor) -> None:
        await self.storage.delete(event.key)
