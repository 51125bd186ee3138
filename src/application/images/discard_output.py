from dataclasses import dataclass

from application.actor import Actor
from application.events import OutputAbandoned
from application.images.ports import ImageRepository, PictureStorage
from application.ports import UnitOfWork
from domain.outputs import output_key


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardOutputHandler:
    """Remove the output of an attempt that came to nothing. Raises `Unavailable` when storage is away.

    It stays when the view shows it after all, or is still at that very attempt: another worker may be storing it.
    What went with its account needs nothing more, for all its pictures go.
    """

    images: ImageRepository
    storage: PictureStorage
    uow: UnitOfWork

    async def __call__(self, event: OutputAbandoned, actor: Actor) -> None:
        found = await self.images.claim(event.view_id)
        if found is None:
            return
        image, render = found
        key = output_key(image.folder, render.view, event.attempt)
        is_present = render.open and render.tries > 0 and event.attempt == render.attempt
        is_needed = is_present or key == render.output_key
        await self.uow.commit()
        if not is_needed:
            await self.storage.delete(key)
