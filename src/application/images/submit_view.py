import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from msgspec import Struct

from application.actor import Actor
from application.events import ViewSubmittable
from application.images.ports import (
    ImageModel,
    ImageRepository,
    Leases,
    ModelBusy,
    ModelRefused,
    ModelUnavailable,
    PictureStorage,
    Prediction,
    RenderOrder,
    RenderReader,
)
from application.images.provider_webhook import ProviderWebhook
from application.images.settlement import Settlement
from application.ports import UnitOfWork
from domain.errors import NotFound, Unavailable
from domain.images import Change, GeneratedImage
from domain.views import RenderPolicy, StaleClaim, ViewError, ViewRender

log = structlog.get_logger()

PAYMENT_REQUIRED = 402
NOTE_AGAIN_SECONDS = 0.5
LONGEST_WAIT = timedelta(days=1)
"""Beyond every deadline; a provider may name any number of seconds, more than a time can hold."""


class _Setback(Struct, frozen=True):
    """Why a create failed."""

    error: ViewError
    kind: Literal["passing", "final", "unasked"] = "passing"
    """Another attempt may help, none will, or it never came to this one."""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitViewHandler:
    """Claim a view, create its prediction, note the prediction's id, and let go: nobody waits for the rendering."""

    images: ImageRepository
    leases: Leases
    orders: RenderReader
    storage: PictureStorage
    model: ImageModel
    settlement: Settlement
    uow: UnitOfWork
    policy: RenderPolicy
    webhook: ProviderWebhook

    async def __call__(self, event: ViewSubmittable, actor: Actor) -> None:
        found = await self.images.claim(event.view_id)
        if found is None:
            return
        image, render = found
        claim = image.claim_submit(render, await self.uow.now(), self.policy)
        if claim is None:
            return
        attempt = render.attempt
        order = await self.orders.order(event.view_id)
        await self.uow.commit()
        async with self.leases.held(event.view_id, claim):
            outcome = await self._create(order, event.view_id, attempt)
        try:
            await self._note(event.view_id, claim, outcome)
        except StaleClaim:
            log.warning("late_submit_refused", view_id=event.view_id, attempt=attempt)

    async def _create(self, order: RenderOrder, view_id: int, attempt: int) -> Prediction | _Setback:
        try:
            address = await self.storage.public_url(order.input_key)
            if address is None:
                photo = await self.storage.get(order.input_key)
                address = await self.model.upload(photo, name="input.jpg")
            webhook = self.webhook.address(view_id, attempt)
            return await self.model.create(prompt=order.prompt, inputs=[address], webhook=webhook)
        except ModelBusy as busy:
            return _Setback(ViewError.PROVIDER_BUSY, retry_after=busy.retry_after)
        except ModelUnavailable as failure:
            log.warning("provider_unavailable", view_id=view_id, attempt=attempt, reason=str(failure))
            return _Setback(ViewError.PROVIDER_UNAVAILABLE)
        except ModelRefused as refusal:
            log.warning(
                "provider_refused", view_id=view_id, attempt=attempt, reason=str(refusal), status=refusal.status
            )
            return _Setback(
                ViewError.PROVIDER_UNAVAILABLE, "passing" if refusal.status == PAYMENT_REQUIRED else "final"
            )
        except NotFound:
            return _Setback(ViewError.STORAGE_UNAVAILABLE)
        except Unavailable as failure:
            return _Setback(ViewError.STORAGE_UNAVAILABLE, "unasked", failure.retry_after)

    async def _note(self, view_id: int, claim: int, outcome: Prediction | _Setback) -> None:
        """Write down what came of the create, waiting for a database that is away: an id that is lost is paid twice."""
        while True:
            try:
                await self._try_to_note(view_id, claim, outcome)
            except Unavailable as failure:
                log.warning("submit_not_noted", view_id=view_id, reason=failure.detail)
                await self.uow.rollback()
                await asyncio.sleep(NOTE_AGAIN_SECONDS)
            else:
                return

    async def _try_to_note(self, view_id: int, claim: int, outcome: Prediction | _Setback) -> None:
        found = await self.images.claim(view_id)
        if found is None:
            return
        image, render = found
        now = await self.uow.now()
        if isinstance(outcome, Prediction):
            image.submitted(render, claim, outcome.id, now, self.policy)
        else:
            await self.settlement.settle(self._set_back(image, render, claim, outcome, now))
        await self.uow.commit()

    def _set_back(
        self, image: GeneratedImage, render: ViewRender, claim: int, setback: _Setback, now: datetime
    ) -> Change:
        retry_at = now + backoff(render.tries, setback.retry_after)
        match setback.kind:
            case "passing":
                return image.attempt_failed(render, claim, setback.error, now, retry_at, self.policy)
            case "unasked":
                return image.call_off(render, claim, setback.error, retry_at)
            case "final":
                return image.reject(render, claim, setback.error, now)


def backoff(attempt: int, retry_after: float | None = None) -> timedelta:
    """1 s after the first attempt, 2 s after the second, with up to half as much jitter, or what the provider named."""
    if retry_after is not None:
        return timedelta(seconds=min(retry_after, LONGEST_WAIT.total_seconds()))
    return timedelta(seconds=attempt * random.uniform(1, 1.5))  # noqa: S311 - jitter
