"""Try-ons: one photo, one style, up to four views; the front first, the sides from the finished front."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.errors import Conflict
from domain.outputs import output_key, output_keys
from domain.renders import MOST_ROUNDS, Change, ViewRender
from domain.views import Output, RenderPolicy, Status, View, ViewError


@dataclass(kw_only=True, eq=False)
class GeneratedImage:
    """One try-on. Its status is derived from its views and kept beside them for the gallery."""

    user_id: int
    style_id: int
    prompt_version: int
    upload_id: int | None  # none once it is deleted and its photo has left too
    folder: str
    """An unguessable name; every output's key stands below it."""
    status: Status = Status.PENDING
    is_favourite: bool = False
    created_at: datetime
    deleted_at: datetime | None = None
    views: list[ViewRender] = field(default_factory=list)
    id: int = field(init=False, repr=False)

    @classmethod
    def request(
        cls,
        *,
        owner: int,
        style: tuple[int, int],
        upload_id: int,
        views: tuple[View, ...],
        folder: str,
        now: datetime,
        policy: RenderPolicy,
    ) -> "GeneratedImage":
        """A new try-on whose views all wait; `style` is its id and prompt version."""
        image = cls(
            user_id=owner,
            style_id=style[0],
            prompt_version=style[1],
            upload_id=upload_id,
            folder=folder,
            created_at=now,
        )
        image.views = [ViewRender.waiting(view, now, policy) for view in views]
        return image

    def borrow(self, outputs: Mapping[View, Output], now: datetime) -> None:
        """Have a new try-on show these views of another. They were not rendered for it: no attempt, no price."""
        for view, output in outputs.items():
            self.render(view).complete(output, now)
        self._derive_status()

    @property
    def front(self) -> ViewRender:
        return self.render(View.FRONT)

    @property
    def begun(self) -> bool:
        """A worker has begun a view that has not ended."""
        return any(render.status is Status.PROCESSING for render in self.views)

    def render(self, view: View) -> ViewRender:
        return next(render for render in self.views if render.view is view)

    def by_id(self, view_id: int) -> ViewRender:
        return next(render for render in self.views if render.id == view_id)

    def output_key(self, render: ViewRender) -> str:
        """Where an attempt's picture is stored: the same attempt, tried again, overwrites its own file only."""
        return output_key(self.folder, render.view, render.attempt)

    @property
    def output_keys(self) -> set[str]:
        """Where its outputs are stored, and where those of attempts would be that nobody noted."""
        noted = {render.output_key for render in self.views if render.output_key is not None}
        return noted.union(*(output_keys(self.folder, render.view, render.attempt) for render in self.views))

    def submittable(self, render: ViewRender, now: datetime, policy: RenderPolicy) -> bool:
        """A worker may take it to the provider."""
        return self._may_start(render) and render.waits_for_create(now, policy)

    def claim_submit(self, render: ViewRender, now: datetime, policy: RenderPolicy) -> int:
        """Take a view that is `submittable`, to create its prediction.

        The attempt counts from here, so that work which kills its worker every time runs out of attempts.
        """
        if not self.submittable(render, now, policy):
            raise ValueError("This view cannot be taken to the provider now.")
        render.attempt += 1
        claim = render.take(now, policy.lease)
        self._derive_status()
        return claim

    def complete(self, render: ViewRender, claim: int, output: Output, now: datetime) -> Change:
        """The picture is stored. The side views start from a finished front."""
        render.require_claim(claim)
        render.complete(output, now)
        change = Change(completed=[render])
        if render is self.front:
            for side in self._waiting_sides():
                side.due_at = now
                change.queued.append(side)
        self._derive_status()
        return change

    def attempt_failed(
        self, render: ViewRender, claim: int, error: ViewError, now: datetime, retry_at: datetime, policy: RenderPolicy
    ) -> Change:
        """An attempt failed for a reason that may pass: try anew at `retry_at`, or give up when attempts are spent."""
        render.require_claim(claim)
        if render.tries >= policy.attempts:
            return self.fail(render, error, now)
        render.error = error
        render.forget_prediction()
        render.give_back(retry_at)
        return Change(queued=[render])

    def reject(self, render: ViewRender, claim: int, error: ViewError, now: datetime) -> Change:
        """The attempt failed for a reason that trying again would not change."""
        render.require_claim(claim)
        return self.fail(render, error, now)

    def fail(self, render: ViewRender, error: ViewError, now: datetime) -> Change:
        """End a view without a picture; a failed front takes its waiting side views along. What has ended stays so."""
        if not render.open:
            return Change()
        render.end(Status.FAILED, now, error)
        change = Change(ended=[render])
        if render is self.front:
            for side in self._waiting_sides():
                side.end(Status.FAILED, now, ViewError.FRONT_FAILED)
                change.ended.append(side)
        self._derive_status()
        return change

    def retry(self, now: datetime, policy: RenderPolicy) -> list[ViewRender]:
        """Begin another round for every view that failed, or `Conflict`; returns them, to be paid for and announced."""
        failed = [render for render in self.views if render.status is Status.FAILED]
        if self.front.status is Status.CANCELLED or not failed:
            raise Conflict("conflict", "No view of this try-on has failed.")
        _begin_rounds(failed, now, policy)
        self._derive_status()
        return failed

    def add_views(self, views: tuple[View, ...], now: datetime, policy: RenderPolicy) -> list[ViewRender]:
        """Ask for side views of a finished front: such as never were, and such as were cancelled; or `Conflict`."""
        if self.front.status is not Status.COMPLETED:
            raise Conflict("image_not_ready", "Side views are made from the finished front view.")
        known = {render.view: render for render in self.views}
        if any(known[view].status is not Status.CANCELLED for view in views if view in known):
            raise Conflict("conflict", "This try-on has one of these views, or it can be retried.")
        _begin_rounds([known[view] for view in views if view in known], now, policy)
        self.views += [ViewRender.waiting(view, now, policy) for view in views if view not in known]
        self._derive_status()
        return [render for render in self.views if render.view in views]

    def startable(self, views: Iterable[ViewRender]) -> list[ViewRender]:
        """Those that a worker may take up at once."""
        return [render for render in views if self._may_start(render)]

    def cancel(self, now: datetime, *, waiting_only: bool = False) -> Change:
        """End every view that is open, at once; what a worker or the provider still brings for it is late.

        `waiting_only` leaves those alone that a worker has begun.
        """
        spared = {Status.PROCESSING} if waiting_only else set()
        change = Change(ended=[render for render in self.views if render.open and render.status not in spared])
        for render in change.ended:
            render.end(Status.CANCELLED, now)
        self._derive_status()
        return change

    def delete(self, now: datetime) -> Change:
        """Take it out of its owner's sight for good; what is open ends as by `cancel`."""
        self.deleted_at = now
        return self.cancel(now)

    def expire(self, render: ViewRender, now: datetime, policy: RenderPolicy) -> Change:
        """What the sweeper does to a view that nothing moves any more.

        Past a deadline it fails with the last known cause. Waiting, with its worker gone, it is announced again, or
        fails when its attempts are spent. Otherwise nothing changes.
        """
        if not render.open:
            return Change()
        if render.expires_at is not None and render.expires_at <= now:
            return self.fail(render, ViewError.PROVIDER_TIMEOUT, now)
        if render.deadline_at <= now:
            return self.fail(render, render.error or ViewError.PROVIDER_TIMEOUT, now)
        if not render.free(now) or not self._needs_worker(render):
            return Change()
        if render.spent(policy):
            return self.fail(render, render.error or ViewError.INTERNAL_ERROR, now)
        if render.prediction is not None:
            render.stumbles += render.deserted
        render.release(now)
        return Change(queued=[render])

    def _needs_worker(self, render: ViewRender) -> bool:
        if render.prediction is not None:
            return True
        return render.prediction_id is None and self._may_start(render)

    def _may_start(self, render: ViewRender) -> bool:
        return render is self.front or self.front.status is Status.COMPLETED

    def _waiting_sides(self) -> list[ViewRender]:
        return [render for render in self.views if render.view is not View.FRONT and render.open]

    def _derive_status(self) -> None:
        statuses = {render.status for render in self.views}
        if statuses == {Status.PENDING} and all(render.round == 1 for render in self.views):
            self.status = Status.PENDING
        elif statuses & {Status.PENDING, Status.PROCESSING}:
            self.status = Status.PROCESSING
        else:
            self.status = self.front.status


def _begin_rounds(renders: list[ViewRender], now: datetime, policy: RenderPolicy) -> None:
    """Have them all wait once more, or none of them: `Conflict` where one has been asked for `MOST_ROUNDS` times."""
    if any(render.round >= MOST_ROUNDS for render in renders):
        raise Conflict("conflict", f"A view can be asked for {MOST_ROUNDS} times. Please begin a new try-on.")
    for render in renders:
        render.begin_round(now, policy)
