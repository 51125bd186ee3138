from collections.abc import AsyncIterator
from dataclasses import dataclass

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import SessionGate
from application.images.progress import News, ProgressEvent, ProgressReader, ProgressSignals
from application.images.watching import next_news
from domain.errors import Unavailable


class WatchImages(Struct, frozen=True):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchImagesHandler:
    """The logs of all of a customer's try-ons, as they grow from now on.

    Brings batches, the first of them empty, and an empty one now and then when there is nothing new. Refusals come
    before the first; later, `Unauthenticated`, `Forbidden` and `GoingAway` end it, and nothing else.
    """

    progress: ProgressReader
    signals: ProgressSignals
    gate: SessionGate

    async def __call__(self, query: WatchImages, actor: Actor) -> AsyncIterator[list[ProgressEvent]]:
        owner = actor.require_user()
        with self.signals.listen(owner) as listening:
            seen = await self.progress.latest(owner)
            unread = News()
            batch: list[ProgressEvent] = []
            while True:
                yield batch
                batch = []
                news = await next_news(listening, self.gate, actor)
                unread |= news
                if unread == News():
                    continue
                only = None if unread.everything else unread.images
                try:
                    batch = await self.progress.of_owner(owner, seen=seen, only=only)
                except Unavailable:
                    continue  # there will be a next time, by the clock at the latest
                unread = News()
                seen.update((event.data.image_id, event.id) for event in batch)
