from dataclasses import dataclass

from application.actor import Actor
from application.events import PredictionAbandoned
from application.images.ports import ImageModel, ModelBusy, ModelRefused, ModelUnavailable
from domain.errors import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPredictionHandler:
    """Tell the provider that nobody waits for a prediction any more, so that it need not be rendered or billed.

    Raises `Unavailable` when it cannot be told now.
    """

    model: ImageModel

    async def __call__(self, event: PredictionAbandoned, actor: Actor) -> None:
        try:
            await self.model.cancel(event.prediction_id)
        except ModelRefused:
            return
        except (ModelBusy, ModelUnavailable) as failure:
            raise Unavailable("provider_unavailable", str(failure)) from failure
