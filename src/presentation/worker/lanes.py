"""The worker's lanes: they take what is due from the outbox, so much at once, and strike out what is done."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Protocol

from msgspec import Struct

from application.events import (
    AccountErased,
    CreditsPurchased,
    Event,
    ImageDeleted,
    OutputAbandoned,
    PasswordResetAsked,
    PictureDiscarded,
    PredictionAbandoned,
    ProfilePictureOffered,
    PurchaseRefunded,
    RegistrationMade,
    RegistrationRepeated,
    ViewFinishable,
    ViewSubmittable,
)
from domain.errors import Unavailable
from presentation.worker.jobs import Announcement, Jobs
from presentation.worker.places import Places


class Lane(Struct, frozen=True):
    """Jobs that wait for the same services outside, and how many of them a worker does at once.

    A service that is slow or silent takes up the places of its own lane, and no mail waits for a picture.
    """

    events: tuple[type[Event], ...]
    at_once: int

    @property
    def jobs(self) -> list[str]:
        return [event.job for event in self.events]


LANES = (
    Lane((ViewSubmittable, ViewFinishable, PredictionAbandoned), 40),
    Lane((ImageDeleted, AccountErased, PictureDiscarded, OutputAbandoned, ProfilePictureOffered), 10),
    Lane((RegistrationMade, RegistrationRepeated, PasswordResetAsked, CreditsPurchased, PurchaseRefunded), 10),
)


class Announcements(Protocol):
    async def exchange(
        self, done: Collection[int], limit: int, jobs: Collection[str], *, besides: Collection[int] = ()
    ) -> Sequence[Announcement]:
        """Strike out rows that are done, and take up to `limit` of these jobs that are due, `besides` those rows.

        They come again if nobody does them.
        """
        ...


class Deliveries:
    """Takes rows to their handlers, so many at once. A row whose handler failed stays, and comes again later.

    One that is due again while its job is under way here is left to others: a second place would be taken up for
    nothing. What has begun does not end with whoever asked for it: a create that is cut off may have been made, and is
    billed again.
    """

    def __init__(self, jobs: Jobs, announcements: Announcements, lane: Lane) -> None:
        self._jobs = jobs
        self._announcements = announcements
        self._lane = lane
        self._done: list[int] = []
        self.news = asyncio.Event()
        """Set when there is a reason to look: the bell, or a job that has come to its end."""
        self._places = Places(lane.at_once, on_end=self.news.set)

    async def look(self) -> bool:
        """Strike out what is done, and begin what is due as far as there is room; tells whether there may be more."""
        done, self._done = self._done, []
        room, under_way = self._places.free, self._places.under_way
        try:
            taken = await self._announcements.exchange(done, room, self._lane.jobs, besides=under_way)
        except BaseException:
            self._done += done
            raise
        for announced in taken:
            self._places.begin(announced.id, self._deliver(announced))
        return 0 < room == len(taken)

    async def drain(self, seconds: float) -> None:
        """Let what has begun come to its end, or cut it off after so many seconds, and strike out what is done."""
        await self._places.drain(seconds)
        with suppress(Unavailable):  # then they come again, to find their work done
            await self._announcements.exchange(self._done, 0, [])

    async def _deliver(self, announced: Announcement) -> None:
        if await self._jobs.do(announced):
            self._done.append(announced.id)
