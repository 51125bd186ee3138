from collections.abc import Sequence
from dataclasses import dataclass

from application.credits.ports import Holds
from application.events import OutputAbandoned, PredictionAbandoned, ViewFinishable, ViewSubmittable
from application.images.picture_removal import UNTIL_NOBODY_WRITES
from application.ports import Outbox
from domain.images import GeneratedImage
from domain.renders import Change, ViewRender
from domain.views import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Carry out what a decision about a try-on means for credits and workers, in the decision's own transaction."""

    holds: Holds
    outbox: Outbox

    async def begin(self, image: GeneratedImage, views: Sequence[ViewRender]) -> None:
        """Reserve the price of views that wait anew, or raise `InsufficientCredits`; announce what can be rendered."""
        await self.holds.place(image.user_id, views)
        for view in image.startable(views):
            self.outbox.add(ViewSubmittable(view.id))

    async def settle(self, change: Change) -> None:
        for view in change.completed:
            await self.holds.post(view)
        for view in change.ended:
            await self.holds.void(view)
            if view.prediction is not None:
                # A worker may be storing its output at this very moment.
                later = view.finished_at + UNTIL_NOBODY_WRITES if view.finished_at else None
                self.outbox.add(OutputAbandoned(view.id, view.attempt), not_before=later)
            if view.status is not Status.COMPLETED and view.prediction_id is not None and view.prediction is None:
                self.outbox.add(PredictionAbandoned(view.id, view.prediction_id))
        for view in change.queued:
            event = ViewSubmittable(view.id) if view.prediction is None else ViewFinishable(view.id)
            self.outbox.add(event, not_before=view.due_at)
