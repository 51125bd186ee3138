"""The jobs that the outbox announces: each is handed to the handler it is for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any, Protocol

import msgspec
import structlog
from dishka import AsyncContainer

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
    def words(self) -> Mapping[str, str | int]:
        """What every line of the log says of it: the request, and who was signed in then."""
        ...

    @property
    def traceparent(self) -> str | None: ...


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


class Jobs:
    """Does what is announced, and tells how it went."""

    def __init__(self, container: AsyncContainer, metrics: JobMetrics, spans: Spans) -> None:
        self._container = container
        self._metrics = metrics
        metrics.expect(_EVENTS)
        self._spans = spans

    async def do(self, announced: Announcement) -> bool:
        """Whether it is done. What is put off or fails is logged, and is to come again."""
        origin = announced.origin
        structlog.contextvars.bind_contextvars(outbox_id=announced.id, job=announced.job, **origin.words)
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
            outcome = "done"
        self._metrics.record(announced.job, outcome, perf_counter() - began)
        return outcome == "done"

    async def _hand_over(self, announced: Announcement) -> None:
        kind = _EVENTS[announced.job]
        event = msgspec.convert(announced.payload, kind)
        async with self._container() as scope:
            handle = await scope.get(CONSUMERS[kind])
            await handle(event, WORKER)
