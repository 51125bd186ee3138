from collections.abc import AsyncIterator
from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import SessionGate
from application.images.own_image import image_not_found
from application.images.progress import ImageLog, ProgressEvent, ProgressReader, ProgressSignals
from application.images.watching import next_news
from domain.errors import Unavailable
from domain.identifiers import can_be_id


class WatchImage(Struct, frozen=True):
    image_id: int
    after: int = 0
    """The id of the last event that is known already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchImageHandler:
    """One try-on's log, from an event on, as it grows; it ends with the try-on's end, and when the try-on is deleted.

    Brings batches. An empty one says that all is well and nothing new. Refusals come before the first batch; there is
    no batch at all when nothing is left to tell. Later, `Unauthenticated`, `Forbidden` and `GoingAway` end it.
    """

    progress: ProgressReader
    signals: ProgressSignals
    gate: SessionGate

    async def __call__(self, query: WatchImage, actor: Actor) -> AsyncIterator[list[ProgressEvent]]:
        owner = actor.require_user()
        if not can_be_id(query.image_id):
            raise image_not_found()
        after = query.after
        # Listening before the first look: what comes in between is heard.
        with self.signals.listen(owner) as listening:
            log = await self._look(query.image_id, owner, after)
            if log is None:
                raise image_not_found()
            if log.ended and not log.events:
                return
            behind = False
            while log is not None:
                yield log.events
                if log.ended:
                    return
                after = max([after, *(event.id for event in log.events)])
                news = await next_news(listening, self.gate, actor)
                behind = behind or news.concerns(query.image_id)
                log = ImageLog([], ended=False)
                if behind:
                    try:
                        log = await self._look(query.image_id, owner, after)
                    except Unavailable:
                        continue  # there will be a next time, by the clock at the latest
                    behind = False

    async def _look(self, image_id: int, owner: int, after: int) -> ImageLog | None:
        return await self.progress.of_image(image_id, owner=owner, after=after)
