import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog
from msgspec import Struct

from application.actor import Actor
from application.events import PredictionAbandoned, ViewSubmittable
from application.images.backoff import backoff
from application.images.model_gate import ModelGate, TurnedAway
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
from application.ports import Outbox, UnitOfWork
from domain.errors import NotFound, Unavailable
from domain.images import GeneratedImage
from domain.renders import Change, StaleClaim, ViewRender
from domain.views import RenderPolicy, ViewError

log = structlog.get_logger()

PAYMENT_REQUIRED = 402
NOTE_AGAIN_SECONDS = 0.5


class _Setback(Struct, frozen=True):
    """Why a create failed."""

    error: ViewError
    kind: Literal["passing", "final", "unasked", "unpaid"] = "passing"
    """Another attempt may help, none will, it never came to this one, or the provider asked for money first."""
    retry_after: float | None = None
    tells: Literal["nothing", "answered", "failed"] = "nothing"
    """What the gate learns of the provider from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitViewHandler:
    """Claim a view, create its prediction, note the prediction's id, and let go: nobody waits for the rendering.

    A view that the gate turns away is not claimed, loses no attempt, and comes back at the time that the gate names.
    """

    images: ImageRepository
    leases: Leases
    gate: ModelGate
    orders: RenderReader
    storage: PictureStorage
    model: ImageModel
    settlement: Settlement
    outbox: Outbox
    uow: UnitOfWork
    policy: RenderPolicy
    webhook: ProviderWebhook

    async def __call__(self, event: ViewSubmittable, actor: Actor) -> None:
        found = await self.images.claim(event.view_id)
        if found is None:
            return
        image, render = found
        now = await self.uow.now()
        if not image.submittable(render, now, self.policy):
            return
        order = await self.orders.order(event.view_id)
        turned_away = await self.gate.admit()
        if turned_away is not None:
            self._put_off(render, turned_away)
            await self.uow.commit()
            return
        claim = image.claim_submit(render, now, self.policy)
        attempt = render.attempt
        await self.uow.commit()
        async with self.leases.held(event.view_id, claim):
            outcome = await self._create(order, event.view_id, attempt)
        await self._note(event.view_id, claim, outcome)

    def _put_off(self, render: ViewRender, turned_away: TurnedAway) -> None:
        render.turn_away(turned_away.until, turned_away.error)
        self.outbox.add(ViewSubmittable(render.id), not_before=turned_away.until)

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
            return _Setback(ViewError.PROVIDER_UNAVAILABLE, tells="failed")
        except ModelRefused as refusal:
            log.warning(
                "provider_refused", view_id=view_id, attempt=attempt, reason=str(refusal), status=refusal.status
            )
            return _refused(refusal)
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
        try:
            await self._write(found, claim, outcome)
        except StaleClaim:
            log.warning("late_submit_refused", view_id=view_id)
            # The provider may have told of it first, and then it is the view's own all the same.
            if isinstance(outcome, Prediction) and (found is None or found[1].prediction_id != outcome.id):
                self.outbox.add(PredictionAbandoned(view_id, outcome.id))
        await self.uow.commit()

    async def _write(
        self, found: tuple[GeneratedImage, ViewRender] | None, claim: int, outcome: Prediction | _Setback
    ) -> None:
        if found is None:
            raise StaleClaim
        image, render = found
        now = await self.uow.now()
        if isinstance(outcome, Prediction):
            render.submitted(claim, outcome.id, now, self.policy)
        else:
            await self.settlement.settle(await self._set_back(image, render, claim, outcome, now))
        if isinstance(outcome, Prediction) or outcome.tells == "answered":
            await self.gate.answered()
        elif outcome.tells == "failed":
            await self.gate.failed(image.id)

    async def _set_back(
        self, image: GeneratedImage, render: ViewRender, claim: int, setback: _Setback, now: datetime
    ) -> Change:
        retry_at = now + backoff(render.tries, setback.retry_after)
        match setback.kind:
            case "passing":
                return image.attempt_failed(render, claim, setback.error, now, retry_at, self.policy)
            case "unasked":
                return render.call_off(claim, setback.error, retry_at)
            case "unpaid":
                return render.call_off(claim, setback.error, (await self.gate.unpaid()).until)
            case "final":
                return image.reject(render, claim, setback.error, now)


def _refused(refusal: ModelRefused) -> _Setback:
    if refusal.status == PAYMENT_REQUIRED:
        return _Setback(ViewError.PROVIDER_UNAVAILABLE, "unpaid")
    return _Setback(ViewError.PROVIDER_UNAVAILABLE, "final", tells="answered")
