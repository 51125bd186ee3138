from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.events import ViewFinishable
from application.images.ports import ImageRepository, Prediction
from application.ports import Outbox, UnitOfWork
from domain.identifiers import LARGEST_ID

Identifier = Annotated[int, Meta(ge=1, le=LARGEST_ID)]


class RecordPrediction(Struct, frozen=True):
    """How the provider says a prediction stands, for the view and attempt it was created for."""

    view_id: Identifier
    attempt: Identifier
    prediction: Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPredictionHandler:
    """Note that a prediction has ended and wake a worker for its output. News that comes twice is noted once."""

    images: ImageRepository
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: RecordPrediction, actor: Actor) -> bool:
        """Whether it was news."""
        prediction = command.prediction
        if not prediction.finished:
            return False
        found = await self.images.claim(command.view_id)
        if found is None:
            return False
        _, render = found
        now = await self.uow.now()
        is_news = render.prediction_ended(command.attempt, prediction.id, prediction.record(), now)
        if is_news:
            self.outbox.add(ViewFinishable(render.id))
        await self.uow.commit()
        return is_news
