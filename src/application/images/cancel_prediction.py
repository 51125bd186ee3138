from contextlib import suppress
from dataclasses import dataclass

from application.actor import Actor
from application.events import PredictionAbandoned
from application.images.ports import ImageModel, ModelRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPredictionHandler:
    """Tell the provider that nobody waits for a prediction any more, so that it need not be rendered or billed."""

    model: ImageModel

    async def __call__(self, event: PredictionAbandoned, actor: Actor) -> None:
        with suppress(ModelRefused):
            await self.model.cancel(event.prediction_id)
