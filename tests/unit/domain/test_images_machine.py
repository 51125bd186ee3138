"""Anything that workers, the provider, the sweeper and its owner can do to a try-on, against what must never break.

They do it in any order. Workers may be slow, come back after their lease, or never; the provider's news may come early,
late, twice or not at all; jobs may be delivered twice. Beside the try-on runs a model of its holds and of what was
announced to workers.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from msgspec import to_builtins

from domain.credits import HoldStatus
from domain.errors import Conflict
from domain.renders import Change, StaleClaim, ViewRender
from domain.views import Output, Status, View, ViewError
from tests.unit.factories import NOW, POLICY, ended, try_on

HOLD_OF = {
    Status.PENDING: HoldStatus.PENDING,
    Status.PROCESSING: HoldStatus.PENDING,
    Status.COMPLETED: HoldStatus.POSTED,
    Status.FAILED: HoldStatus.VOIDED,
    Status.CANCELLED: HoldStatus.VOIDED,
}
PLACES = st.integers(0, 3)
"""Which of the try-on's views; counted round, for it has one to four."""


@dataclass(frozen=True)
class Work:
    """What a worker has in hand; it goes on with it whatever happened to the view meanwhile."""

    view: View
    claim: int
    attempt: int


@dataclass(frozen=True)
class Made:
    """A prediction that the provider made, whether or not its answer came back."""

    view: View
    attempt: int
    id: str


class TryOns(RuleBasedStateMachine):
    submissions: Bundle[Work] = Bundle("submissions")
    storings: Bundle[Work] = Bundle("storings")
    predictions: Bundle[Made] = Bundle("predictions")

    @initialize(sides=st.sets(st.sampled_from([View.RIGHT, View.LEFT, View.BACK])))
    def accept(self, sides: set[View]) -> None:
        self.now: datetime = NOW
        self.image = try_on(*sorted(sides))
        self.holds = {render.view: HoldStatus.PENDING for render in self.image.views}
        self.announced = {View.FRONT}
        self.asked: set[Work] = set()
        self.told: set[tuple[View, int]] = set()
        self.known_ends: dict[View, tuple[object, ...]] = {}

    def _render(self, place: int) -> ViewRender:
        return self.image.views[place % len(self.image.views)]

    def _settle(self, change: Change) -> None:
        for render, outcome in [
            *((render, HoldStatus.POSTED) for render in change.completed),
            *((render, HoldStatus.VOIDED) for render in change.ended),
        ]:
            assert self.holds[render.view] is HoldStatus.PENDING, "a hold is resolved once"
            self.holds[render.view] = outcome
        self.announced.update(render.view for render in change.queued)

    def _is_current(self, work: Work) -> bool:
        render = self.image.render(work.view)
        return render.open and render.claim == work.claim

    @rule(seconds=st.sampled_from([0, 0.5, 2, 10, 31, 121, 400]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(target=submissions, place=PLACES)
    def a_worker_takes_a_view_to_the_provider(self, place: int) -> MultipleResults[Work] | Work:
        return self._submission(self._render(place)) or multiple()

    @rule(place=PLACES, error=st.sampled_from(ViewError), wait=st.floats(0, 60))
    def the_gate_turns_a_view_away(self, place: int, error: ViewError, wait: float) -> None:
        render = self._render(place)
        if self.image.submittable(render, self.now, POLICY):
            before = render.status, render.attempt
            render.turn_away(self.now + timedelta(seconds=wait), error)
            assert (render.status, render.attempt) == before
            self.announced.add(render.view)

    def _submission(self, render: ViewRender) -> Work | None:
        held_until = render.lease_until
        if not self.image.submittable(render, self.now, POLICY):
            return None
        claim = self.image.claim_submit(render, self.now, POLICY)
        assert held_until is None or held_until <= self.now, "no lease is shared"
        return Work(render.view, claim, render.attempt)

    @rule(target=predictions, work=submissions)
    def the_provider_makes_its_prediction(self, work: Work) -> Made:
        self.asked.add(work)
        return Made(work.view, work.attempt, f"{work.view}-{work.attempt}")

    @rule(work=consumes(submissions))
    def the_create_is_answered(self, work: Work) -> None:
        self.asked.add(work)
        render, current = self.image.render(work.view), self._is_current(work)
        try:
            render.submitted(work.claim, f"{work.view}-{work.attempt}", self.now, POLICY)
        except StaleClaim:
            assert not current, "the present claim may write"
        else:
            assert current, "an older claim is refused"

    @rule(work=consumes(submissions), error=st.sampled_from(ViewError), passing=st.booleans(), wait=st.floats(0, 60))
    def the_create_fails(self, work: Work, error: ViewError, passing: bool, wait: float) -> None:
        self.asked.add(work)
        self._give_up(work, error, "anew" if passing else "never", wait)

    @rule(work=consumes(submissions), error=st.sampled_from(ViewError), wait=st.floats(0, 60))
    def the_photo_cannot_be_read(self, work: Work, error: ViewError, wait: float) -> None:
        if work not in self.asked:
            self._give_up(work, error, "uncounted", wait)

    @rule(made=predictions, status=st.sampled_from(["succeeded", "failed"]))
    def news_of_a_prediction_comes(self, made: Made, status: str) -> None:
        render = self.image.render(made.view)
        news = to_builtins(ended(made.id, status=status))
        if render.prediction_ended(made.attempt, made.id, news, self.now):
            assert render.attempt == made.attempt, "news of an older attempt is none"
            assert (made.view, made.attempt) not in self.told, "an attempt ends once"
            self.told.add((made.view, made.attempt))
            self.announced.add(made.view)

    @rule(target=storings, place=PLACES)
    def a_worker_takes_a_finished_prediction(self, place: int) -> MultipleResults[Work] | Work:
        return self._storing(self._render(place)) or multiple()

    def _storing(self, render: ViewRender) -> Work | None:
        held_until = render.lease_until
        claim = render.claim_finish(self.now, POLICY)
        if claim is None:
            return None
        assert held_until is None or held_until <= self.now, "no lease is shared"
        return Work(render.view, claim, render.attempt)

    @rule(work=consumes(storings))
    def the_picture_is_stored(self, work: Work) -> None:
        render, current = self.image.render(work.view), self._is_current(work)
        output = Output(self.image.output_key(render), 1024, 1024)
        try:
            change = self.image.complete(render, work.claim, output, self.now)
        except StaleClaim:
            assert not current, "the present claim may write"
        else:
            assert current, "an older claim is refused"
            assert render.attempt == work.attempt
            self._settle(change)

    @rule(
        work=consumes(storings),
        error=st.sampled_from(ViewError),
        again=st.sampled_from(["anew", "later", "never"]),
        wait=st.floats(0, 60),
    )
    def nothing_can_be_stored(self, work: Work, error: ViewError, again: str, wait: float) -> None:
        self._give_up(work, error, again, wait)

    def _give_up(self, work: Work, error: ViewError, again: str, wait: float) -> None:
        render, current = self.image.render(work.view), self._is_current(work)
        retry_at = self.now + timedelta(seconds=wait)
        try:
            if again == "anew":
                change = self.image.attempt_failed(render, work.claim, error, self.now, retry_at, POLICY)
            elif again == "uncounted":
                change = render.call_off(work.claim, error, retry_at)
            elif again == "later":
                change = render.put_off(work.claim, error, retry_at)
            else:
                change = self.image.reject(render, work.claim, error, self.now)
        except StaleClaim:
            assert not current, "the present claim may write"
        else:
            assert current, "an older claim is refused"
            self._settle(change)

    @rule(place=PLACES)
    def all_goes_well_for_once(self, place: int) -> None:
        """A view goes on by one step of its path, so that its end is reached often."""
        render = self._render(place)
        if work := self._submission(render):
            self.the_create_is_answered(work)
        elif work := self._storing(render):
            self.the_picture_is_stored(work)
        elif render.prediction_id is not None:
            self.news_of_a_prediction_comes(Made(render.view, render.attempt, render.prediction_id), "succeeded")

    @rule()
    def the_sweeper_comes_by(self) -> None:
        for render in self.image.views:
            self._settle(self.image.expire(render, self.now, POLICY))

    @precondition(lambda self: self.image.deleted_at is None)
    @rule()
    def its_owner_retries_what_failed(self) -> None:
        failed = [render for render in self.image.views if render.status is Status.FAILED]
        try:
            again = self.image.retry(self.now, POLICY)
        except Conflict:
            assert not failed or self.image.front.status is Status.CANCELLED
        else:
            assert again == failed
            self._begin(again)

    @precondition(lambda self: self.image.deleted_at is None)
    @rule(wanted=st.sets(st.sampled_from([View.RIGHT, View.LEFT, View.BACK]), min_size=1))
    def its_owner_adds_views(self, wanted: set[View]) -> None:
        there = {render.view for render in self.image.views if render.status is not Status.CANCELLED}
        ready = self.image.front.status is Status.COMPLETED
        try:
            added = self.image.add_views(tuple(wanted), self.now, POLICY)
        except Conflict:
            assert not ready or wanted & there
        else:
            assert {render.view for render in added} == wanted
            self._begin(added)

    def _begin(self, views: list[ViewRender]) -> None:
        for render in views:
            self.holds[render.view] = HoldStatus.PENDING
            self.known_ends.pop(render.view, None)
            self.announced.discard(render.view)
        self.announced.update(render.view for render in self.image.startable(views))

    @rule(waiting_only=st.booleans())
    def its_owner_cancels_it(self, waiting_only: bool) -> None:
        begun = {render.view for render in self.image.views if render.status is Status.PROCESSING}
        change = self.image.cancel(self.now, waiting_only=waiting_only)
        assert not (waiting_only and begun & {render.view for render in change.ended})
        self._settle(change)

    @precondition(lambda self: self.image.deleted_at is None)
    @rule()
    def its_owner_deletes_it(self) -> None:
        self._settle(self.image.delete(self.now))

    @invariant()
    def nothing_of_a_deleted_try_on_is_open(self) -> None:
        assert self.image.deleted_at is None or not any(render.open for render in self.image.views)

    @invariant()
    def holds_fit_statuses(self) -> None:
        """Open <=> pending, COMPLETED <=> posted, FAILED and CANCELLED <=> voided."""
        assert {render.view: HOLD_OF[render.status] for render in self.image.views} == self.holds

    @invariant()
    def what_has_ended_stays_as_it_is(self) -> None:
        for render in self.image.views:
            if not render.open:
                end = (render.status, render.error, render.output_key, render.finished_at)
                assert self.known_ends.setdefault(render.view, end) == end

    @invariant()
    def attempts_are_bounded_and_creates_by_attempts(self) -> None:
        creates = Counter(work.view for work in self.asked)
        for render in self.image.views:
            assert creates[render.view] <= render.attempt
            assert 0 <= render.tries <= POLICY.attempts

    @invariant()
    def every_view_waits_for_one_thing(self) -> None:
        """A worker that has it, a worker to come, the provider, or the front: nothing is ever left lying."""
        front = self.image.front
        for render in self.image.views:
            leased = render.lease_until is not None
            rendering = render.prediction_id is not None and render.prediction is None
            assert (render.poll_at is not None) == (render.expires_at is not None) == (render.open and rendering)
            if not render.open:
                assert not leased
                continue
            if leased or rendering:
                assert render.status is Status.PROCESSING
                assert not (leased and rendering)
            elif render is front or front.status is Status.COMPLETED:
                assert render.view in self.announced
            else:
                assert (render.status, render.tries) == (Status.PENDING, 0), "sides wait for a finished front"

    @invariant()
    def the_image_follows_its_views(self) -> None:
        statuses = [render.status for render in self.image.views]
        if set(statuses) == {Status.PENDING} and all(render.round == 1 for render in self.image.views):
            assert self.image.status is Status.PENDING
        elif {Status.PENDING, Status.PROCESSING} & set(statuses):
            assert self.image.status is Status.PROCESSING
        else:
            assert self.image.status is self.image.front.status

    def teardown(self) -> None:
        """15 minutes after it was accepted, one look of the sweeper ends whatever is still open."""
        self.now = max(self.now, *(render.deadline_at for render in self.image.views))
        self.the_sweeper_comes_by()
        assert not any(render.open for render in self.image.views)
        self.holds_fit_statuses()
        self.what_has_ended_stays_as_it_is()


TestTryOns = TryOns.TestCase
