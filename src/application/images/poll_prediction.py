from dataclasses import dataclass

import structlog
from msgspec import Struct

from application.actor import Actor
from application.events import ViewFinishable
from application.images.ports import ImageModel, ImageRepository, ModelBusy, ModelRefused, ModelUnavailable, Prediction
from application.ports import Outbox, UnitOfWork
from domain.views import RenderPolicy

log = structlog.get_logger()


class PollPrediction(Struct, frozen=True):
    view_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPredictionHandler:
    """Look at one prediction in flight, for webhooks get lost, and note its end as a webhook would."""

    images: ImageRepository
    model: ImageModel
    outbox: Outbox
    uow: UnitOfWork
    policy: RenderPolicy

    async def __call__(self, command: PollPrediction, actor: Actor) -> None:
        found = await self.images.claim(command.view_id)
        if found is None:
            return
        _, render = found
        now = await self.uow.now()
        if render.prediction_id is None or render.poll_at is None or render.poll_at > now:
            return
        prediction_id, attempt = render.prediction_id, render.attempt
        # The next look is booked before this one, so that pollers side by side do not look at the same time.
        render.poll_at = now + self.policy.poll
        await self.uow.commit()
        try:
            prediction = await self.model.get(prediction_id)
        except (ModelBusy, ModelUnavailable, ModelRefused) as failure:
            log.warning("poll_failed", view_id=command.view_id, reason=str(failure))
            return
        if prediction is None:
            prediction = Prediction(prediction_id, "failed", error="The provider does not know this prediction.")
        if not prediction.finished:
            return
        found = await self.images.claim(command.view_id)
        if found is None:
            return
        _, render = found
        if render.prediction_ended(attempt, prediction.id, prediction.record(), await self.uow.now()):
            self.outbox.add(ViewFinishable(render.id))
        await self.uow.commit()
