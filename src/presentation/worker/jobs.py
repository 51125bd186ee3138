"""What the worker does with the outbox: hand each row's event to the handler it is for."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Protocol

import msgspec
import structlog
from dishka import AsyncContainer
from msgspec import Struct

from application.actor import Actor
from application.auth.send_account_mail import (
    SendAccountExistsMailHandler,
    SendPasswordResetMailHandler,
    SendVerificationMailHandler,
)
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
from application.images.cancel_prediction import CancelPredictionHandler
from application.images.discard_output import DiscardOutputHandler
from application.images.discard_picture import DiscardPictureHandler
from application.images.erase_image import EraseImageHandler
from application.images.finish_view import FinishViewHandler
from application.images.submit_view import SubmitViewHandler
from application.payments.send_receipts import SendReceiptHandler, SendRefundNoticeHandler
from application.users.copy_profile_picture import CopyProfilePictureHandler
from application.users.erase_works import EraseWorksHandler
from domain.errors import Unavailable
from presentation.spans import Spans
from presentation.worker.metrics import JobMetrics, Outcome

log = structlog.get_logger()

WORKER = Actor.system("worker")
LONGEST_SECONDS = 120
"""For one job. Every call inside has its own, shorter limit; this one ends what none of them foresaw."""

CONSUMERS: Mapping[type[Event], type[Callable[[Any, Actor], Awaitable[None]]]] = {
    RegistrationMade: SendVerificationMailHandler,
    RegistrationRepeated: SendAccountExistsMailHandler,
    PasswordResetAsked: SendPasswordResetMailHandler,
    ProfilePictureOffered: CopyProfilePictureHandler,
    AccountErased: EraseWorksHandler,
    CreditsPurchased: SendReceiptHandler,
    PurchaseRefunded: SendRefundNoticeHandler,
    ImageDeleted: EraseImageHandler,
    ViewSubmittable: SubmitViewHandler,
    ViewFinishable: FinishViewHandler,
    PredictionAbandoned: CancelPredictionHandler,
    PictureDiscarded: DiscardPictureHandler,
    OutputAbandoned: DiscardOutputHandler,
}
_EVENTS = {event.job: event for event in CONSUMERS}


class Origin(Protocol):
    """Where it comes from, as far as that is known."""

    @property
    def request_id(self) -> str | None: ...

    @property
    def traceparent(self) -> str | None: ...


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


class Announcement(Protocol):
    """An outbox row that is ours to do."""

    @property
    def id(self) -> int: ...

    @property
    def job(self) -> str: ...

    @property
    def payload(self) -> Mapping[str, object]: ...

    @property
    def origin(self) -> Origin: ...


class Announcements(Protocol):
    async def exchange(self, done: Collection[int], limit: int, jobs: Collection[str]) -> Sequence[Announcement]:
        """Strike out rows that are done, and take up to `limit` of these jobs that are due.

        They come again if nobody does them.
        """
        ...


class Deliveries:
    """Takes rows to their handlers, so many at once. A row whose handler failed stays, and comes again later.

    What has begun does not end with whoever asked for it: a create that is cut off may have been made, and is billed
    again.
    """

    def __init__(
        self, container: AsyncContainer, announcements: Announcements, lane: Lane, metrics: JobMetrics, spans: Spans
    ) -> None:
        self._container = container
        self._announcements = announcements
        self._jobs = lane.jobs
        self._at_once = lane.at_once
        self._metrics = metrics
        metrics.expect(_EVENTS)
        self._spans = spans
        self._begun: set[asyncio.Task[None]] = set()
        self._done: list[int] = []
        self.news = asyncio.Event()
        """Set when there is a reason to look: the bell, or a job that has come to its end."""

    async def look(self) -> bool:
        """Strike out what is done, and begin what is due as far as there is room; tells whether there may be more."""
        done, self._done = self._done, []
        room = self._at_once - len(self._begun)
        try:
            taken = await self._announcements.exchange(done, room, self._jobs)
        except BaseException:
            self._done += done
            raise
        for announced in taken:
            task = asyncio.create_task(self._deliver(announced))
            self._begun.add(task)
            task.add_done_callback(self._end)
        return 0 < room == len(taken)

    async def drain(self, seconds: float) -> None:
        """Let what has begun come to its end, or cut it off after so many seconds, and strike out what is done."""
        if self._begun:
            _, late = await asyncio.wait(self._begun, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with suppress(Unavailable):  # then they come again, to find their work done
            await self._announcements.exchange(self._done, 0, [])

    def _end(self, task: asyncio.Task[None]) -> None:
        self._begun.discard(task)
        self.news.set()

    async def _deliver(self, announced: Announcement) -> None:
        origin = announced.origin
        structlog.contextvars.bind_contextvars(outbox_id=announced.id, job=announced.job)
        if origin.request_id is not None:
            structlog.contextvars.bind_contextvars(request_id=origin.request_id)
        began = perf_counter()
        outcome: Outcome = "failed"
        try:
            with self._spans.begin(announced.job, "consumer", parent=origin.traceparent, outbox_id=announced.id):
                async with asyncio.timeout(LONGEST_SECONDS):
                    await self._hand_over(announced)
        except Unavailable as failure:
            log.warning("job_put_off", code=failure.code, reason=failure.detail)
            outcome = "put_off"
        except Exception:
            log.exception("job_failed")
        else:
            self._done.append(announced.id)
            outcome = "done"
        self._metrics.record(announced.job, outcome, perf_counter() - began)

    async def _hand_over(self, announced: Announcement) -> None:
        kind = _EVENTS[announced.job]
        event = msgspec.convert(announced.payload, kind)
        async with self._container() as scope:
            handle = await scope.get(CONSUMERS[kind])
            await handle(event, WORKER)
