"""What the worker does when the bell rings: hand an outbox row's event to the handler it is for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
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


class Announcement(Protocol):
    """An outbox row."""

    @property
    def job(self) -> str: ...

    @property
    def payload(self) -> Mapping[str, object]: ...


class Announcements(Protocol):
    async def delivery(self, row_id: int) -> Announcement | None: ...

    async def done(self, row_id: int) -> None: ...


class Deliveries:
    """Takes rows to their handlers. A row whose handler failed stays, and is rung for again, more and more slowly.

    What has begun does not end with whoever rang: a create that is cut off may have been made, and is billed again.
    """

    def __init__(self, container: AsyncContainer, announcements: Announcements) -> None:
        self._container = container
        self._announcements = announcements
        self._begun: set[asyncio.Task[None]] = set()

    async def deliver(self, row_id: int) -> None:
        """Wait for it; being cancelled ends the waiting only."""
        task = asyncio.create_task(self._deliver(row_id))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        await asyncio.shield(task)

    async def drain(self, seconds: float) -> None:
        """Let what has begun come to its end, or cut it off after so many seconds."""
        if not self._begun:
            return
        _, late = await asyncio.wait(self._begun, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _deliver(self, row_id: int) -> None:
        structlog.contextvars.bind_contextvars(outbox_id=row_id)
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._hand_over(row_id)
        except Unavailable as failure:
            log.warning("job_put_off", code=failure.code, reason=failure.detail)
        except Exception:
            log.exception("job_failed")

    async def _hand_over(self, row_id: int) -> None:
        announced = await self._announcements.delivery(row_id)
        if announced is None:
            return
        kind = _EVENTS[announced.job]
        event = msgspec.convert(announced.payload, kind)
        structlog.contextvars.bind_contextvars(job=announced.job)
        async with self._container() as scope:
            handle = await scope.get(CONSUMERS[kind])
            await handle(event, WORKER)
        await self._announcements.done(row_id)
