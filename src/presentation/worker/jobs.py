"""What the worker does when the bell rings: hand an outbox row's event to the handler it is for."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec
import structlog
from dishka import AsyncContainer

from application.actor import Actor
from application.auth.send_account_mail import SendAccountExistsMailHandler, SendVerificationMailHandler
from application.events import (
    Event,
    PredictionAbandoned,
    RegistrationMade,
    RegistrationRepeated,
    ViewFinishable,
    ViewSubmittable,
)
from application.images.cancel_prediction import CancelPredictionHandler
from application.images.finish_view import FinishViewHandler
from application.images.submit_view import SubmitViewHandler
from domain.errors import Unavailable

log = structlog.get_logger()

WORKER = Actor.system("worker")

CONSUMERS: Mapping[type[Event], type[Callable[[Any, Actor], Awaitable[None]]]] = {
    RegistrationMade: SendVerificationMailHandler,
    RegistrationRepeated: SendAccountExistsMailHandler,
    ViewSubmittable: SubmitViewHandler,
    ViewFinishable: FinishViewHandler,
    PredictionAbandoned: CancelPredictionHandler,
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
    """Takes rows to their handlers. A row whose handler failed stays, and is rung for again, more and more slowly."""

    def __init__(self, container: AsyncContainer, announcements: Announcements) -> None:
        self._container = container
        self._announcements = announcements

    async def deliver(self, row_id: int) -> None:
        try:
            announced = await self._announcements.delivery(row_id)
            if announced is None:
                return
            kind = _EVENTS[announced.job]
            event = msgspec.convert(announced.payload, kind)
            with structlog.contextvars.bound_contextvars(job=announced.job, outbox_id=row_id):
                async with self._container() as scope:
                    handle = await scope.get(CONSUMERS[kind])
                    await handle(event, WORKER)
                await self._announcements.done(row_id)
        except Unavailable as failure:
            log.warning("job_put_off", outbox_id=row_id, code=failure.code, reason=failure.detail)
        except Exception:
            log.exception("job_failed", outbox_id=row_id)
