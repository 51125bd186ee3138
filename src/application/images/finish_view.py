from dataclasses import dataclass
from typing import Literal

import structlog
from msgspec import Struct, convert

from application.actor import Actor
from application.events import OutputAbandoned, PictureDiscarded, ViewFinishable
from application.images.backoff import backoff
from application.images.ports import (
    BadOutput,
    ImageRepository,
    Leases,
    OutputDownloads,
    OutputUnavailable,
    PictureProcessor,
    PictureStorage,
    Prediction,
)
from application.images.settlement import Settlement
from application.ports import Outbox, UnitOfWork
from domain.errors import Unavailable, Unprocessable
from domain.images import GeneratedImage
from domain.renders import MOST_STUMBLES, Change, StaleClaim, ViewRender
from domain.views import Output, RenderPolicy, ViewError

log = structlog.get_logger()

CONTENT_FILTER = ("flagged as sensitive", "(E005)")
"""How Replicate words a refusal by the content filter; the text after it varies."""


class _Setback(Struct, frozen=True):
    error: ViewError
    kind: Literal["final", "anew", "later"]
    """Nothing helps, another prediction may, or the same output another time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishViewHandler:
    """Turn a prediction that has ended into a stored picture and a spent credit, or into a failure and a free one."""

    images: ImageRepository
    leases: Leases
    downloads: OutputDownloads
    pictures: PictureProcessor
    storage: PictureStorage
    settlement: Settlement
    outbox: Outbox
    uow: UnitOfWork
    policy: RenderPolicy

    async def __call__(self, event: ViewFinishable, actor: Actor) -> None:
        found = await self.images.claim(event.view_id)
        if found is None:
            return
        image, render = found
        claim = render.claim_finish(await self.uow.now(), self.policy)
        if claim is None:
            return
        prediction = convert(render.prediction, Prediction)
        key = image.output_key(render)
        late = OutputAbandoned(event.view_id, render.attempt)
        await self.uow.commit()
        async with self.leases.held(event.view_id, claim):
            outcome = await self._store(prediction, key)
        try:
            await self._note(event.view_id, claim, outcome)
        except StaleClaim:
            log.warning("late_finish_refused", view_id=event.view_id)
            if isinstance(outcome, Output):
                self.outbox.add(late)
            await self.uow.commit()

    async def _store(self, prediction: Prediction, key: str) -> Output | _Setback:
        if prediction.status != "succeeded":
            log.warning("prediction_failed", prediction_id=prediction.id, reason=prediction.error)
            if prediction.error and any(mark in prediction.error for mark in CONTENT_FILTER):
                return _Setback(ViewError.PROVIDER_REJECTED, "final")
            return _Setback(ViewError.PROVIDER_UNAVAILABLE, "anew")
        try:
            data = await self.downloads.fetch(first_address(prediction.output))
            picture = await self.pictures.normalise(data)
            await self.storage.put(key, picture.data)
        except (BadOutput, Unprocessable) as verdict:
            log.warning("bad_output", prediction_id=prediction.id, reason=str(verdict))
            return _Setback(ViewError.PROVIDER_BAD_OUTPUT, "final")
        except OutputUnavailable as failure:
            log.warning("output_unavailable", prediction_id=prediction.id, reason=str(failure))
            return _Setback(ViewError.PROVIDER_BAD_OUTPUT, "later")
        except Unavailable:
            return _Setback(ViewError.STORAGE_UNAVAILABLE, "later")
        return Output(key, picture.width, picture.height)

    async def _note(self, view_id: int, claim: int, outcome: Output | _Setback) -> None:
        found = await self.images.claim(view_id)
        if found is None:
            # It went with its account, and so did whoever would have looked for its files.
            if isinstance(outcome, Output):
                self.outbox.add(PictureDiscarded(outcome.key))
            await self.uow.commit()
            return
        image, render = found
        await self.settlement.settle(await self._decide(image, render, claim, outcome))
        await self.uow.commit()

    async def _decide(
        self, image: GeneratedImage, render: ViewRender, claim: int, outcome: Output | _Setback
    ) -> Change:
        now = await self.uow.now()
        if isinstance(outcome, Output):
            return image.complete(render, claim, outcome, now)
        if outcome.kind == "anew":
            return image.attempt_failed(render, claim, outcome.error, now, now + backoff(render.tries), self.policy)
        storage_is_away = outcome.error is ViewError.STORAGE_UNAVAILABLE
        if outcome.kind == "later" and (storage_is_away or render.stumbles < MOST_STUMBLES):
            return render.put_off(claim, outcome.error, now + backoff(render.stumbles + 1))
        return image.reject(render, claim, outcome.error, now)


def first_address(output: object) -> str:
    """The first of an output's addresses, or `BadOutput`: a model may answer with one, several, or nothing usable."""
    first = output[0] if isinstance(output, list) and output else output
    if not isinstance(first, str):
        raise BadOutput("The output names no address.")
    return first
