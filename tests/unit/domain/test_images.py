"""What a worker, the provider and the sweeper may do to a try-on, step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import permutations

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from domain.images import GeneratedImage
from domain.renders import Change, StaleClaim, ViewRender
from domain.views import Output, Status, View, ViewError
from tests.unit.factories import NOW, OUTPUT, POLICY, ended, try_on

SECOND = timedelta(seconds=1)
SIDES = (View.RIGHT, View.LEFT, View.BACK)


@dataclass
class Story:
    """A try-on and the time, moved on by what workers and the provider do to one of its views."""

    image: GeneratedImage = field(default_factory=try_on)
    view: View = View.FRONT
    now: datetime = NOW

    @property
    def render(self) -> ViewRender:
        return self.image.render(self.view)

    def of(self, view: View) -> "Story":
        return Story(self.image, view, self.now)

    def image_status(self) -> Status:
        return self.image.status

    def claim(self) -> int:
        return self.image.claim_submit(self.render, self.now, POLICY)

    def submit(self, prediction_id: str = "p1") -> None:
        self.render.submitted(self.claim(), prediction_id, self.now, POLICY)

    def end_prediction(self, prediction_id: str = "p1", *, attempt: int | None = None, status: str = "") -> bool:
        news = to_builtins(ended(prediction_id, status=status or "succeeded"))
        told = self.render.attempt if attempt is None else attempt
        return self.render.prediction_ended(told, prediction_id, news, self.now)

    def claim_end(self, prediction_id: str = "p1") -> int:
        """From waiting to a worker that stores what the provider rendered."""
        self.submit(prediction_id)
        assert self.end_prediction(prediction_id)
        claim = self.render.claim_finish(self.now, POLICY)
        assert claim is not None
        return claim

    def complete(self, prediction_id: str = "p1") -> Change:
        return self.image.complete(self.render, self.claim_end(prediction_id), OUTPUT, self.now)

    def fail_attempt(self, claim: int, error: ViewError = ViewError.PROVIDER_UNAVAILABLE) -> Change:
        return self.image.attempt_failed(self.render, claim, error, self.now, self.now + SECOND, POLICY)

    def sweep(self, after: timedelta = timedelta(0)) -> Change:
        self.now += after
        return self.image.expire(self.render, self.now, POLICY)


# Accepting


def test_a_new_try_on_waits_with_every_view() -> None:
    """Each costs a credit and has 15 minutes from the moment it was accepted."""
    image = try_on(View.LEFT, View.BACK)
    assert image.status is Status.PENDING
    assert [render.view for render in image.views] == [View.FRONT, View.LEFT, View.BACK]
    assert {render.status for render in image.views} == {Status.PENDING}
    assert {render.deadline_at for render in image.views} == {NOW + timedelta(minutes=15)}


def test_every_attempt_stores_under_a_name_of_its_own() -> None:
    """So that a late worker never overwrites what another attempt or view has stored."""
    image = try_on(*SIDES)
    keys = set()
    for view in View:
        for attempt in (1, 2, 3):
            image.render(view).attempt = attempt
            keys.add(image.output_key(image.render(view)))
    assert len(keys) == 12
    assert all(key.startswith("images/folder/") for key in keys)


# Submitting


def test_a_worker_takes_a_waiting_view_under_a_lease() -> None:
    """The attempt counts from there, and nobody else gets it meanwhile."""
    story = Story()
    story.claim()
    assert (story.render.status, story.render.attempt) == (Status.PROCESSING, 1)
    assert story.image.status is Status.PROCESSING
    assert not story.image.submittable(story.render, NOW + POLICY.lease - SECOND, POLICY)


def test_a_view_that_is_not_to_be_had_is_not_taken() -> None:
    """Whoever does not ask first whether it is finds out, and changes nothing."""
    story = Story()
    claim = story.claim()
    with pytest.raises(ValueError, match="cannot be taken"):
        story.claim()
    assert (story.render.attempt, story.render.claim) == (1, claim)


def test_a_view_is_not_taken_before_its_time() -> None:
    story = Story()
    story.fail_attempt(story.claim())
    assert not story.image.submittable(story.render, story.now, POLICY)
    assert story.image.submittable(story.render, story.now + SECOND, POLICY)


def test_a_view_is_not_taken_once_its_deadline_has_come() -> None:
    """What would be thrown away is not asked for."""
    story = Story(now=NOW + POLICY.deadline)
    assert not story.image.submittable(story.render, story.now, POLICY)


@pytest.mark.parametrize("side", SIDES)
def test_a_side_is_rendered_from_the_finished_front_only(side: View) -> None:
    story = Story(try_on(side))
    assert not story.image.submittable(story.image.render(side), story.now, POLICY)
    story.complete()
    assert story.image.submittable(story.image.render(side), story.now, POLICY)


def test_once_submitted_nobody_holds_the_view() -> None:
    """It is looked at every 2 seconds and has 120 seconds."""
    story = Story()
    story.submit("p1")
    assert (story.render.prediction_id, story.render.lease_until) == ("p1", None)
    assert (story.render.poll_at, story.render.expires_at) == (NOW + 2 * SECOND, NOW + 120 * SECOND)
    assert not story.image.submittable(story.render, NOW + 60 * SECOND, POLICY)
    assert story.render.claim_finish(NOW + 60 * SECOND, POLICY) is None


def test_an_attempt_that_never_reached_the_provider_does_not_count() -> None:
    """The photo could not be read: the view waits, remembers why, and has as many attempts left as before."""
    story = Story()
    for _ in range(5):
        change = story.render.call_off(story.claim(), ViewError.STORAGE_UNAVAILABLE, story.now + SECOND)
        assert change == Change(queued=[story.render])
        assert (story.render.attempt, story.render.error) == (0, ViewError.STORAGE_UNAVAILABLE)
        assert not story.image.submittable(story.render, story.now, POLICY)
        story.now += SECOND
    slow = story.claim()
    story.now += POLICY.lease
    story.claim()
    with pytest.raises(StaleClaim):
        story.render.call_off(slow, ViewError.STORAGE_UNAVAILABLE, story.now)
    assert story.render.attempt == 2


def test_a_worker_that_slept_through_its_lease_cannot_note_its_prediction() -> None:
    """Once another has taken the view over; the other's attempt stands."""
    story = Story()
    slow = story.claim()
    story.now += POLICY.lease
    story.submit("p2")
    with pytest.raises(StaleClaim):
        story.render.submitted(slow, "p1", story.now, POLICY)
    with pytest.raises(StaleClaim):
        story.fail_attempt(slow)
    assert (story.render.prediction_id, story.render.attempt) == ("p2", 2)


def test_a_slow_worker_is_still_welcome_while_nobody_else_has_come() -> None:
    """A prediction that exists is worth more than a lease that has run out."""
    story = Story()
    slow = story.claim()
    story.sweep(after=POLICY.lease)
    story.render.submitted(slow, "p1", story.now, POLICY)
    assert story.render.prediction_id == "p1"


# The provider's news


def test_the_end_of_a_prediction_is_noted_once() -> None:
    """Told by webhook and poller alike, it wakes one worker."""
    story = Story()
    story.submit("p1")
    assert story.end_prediction("p1")
    assert not story.end_prediction("p1")
    assert story.render.prediction is not None
    assert (story.render.poll_at, story.render.expires_at) == (None, None)


def test_the_end_may_come_before_the_creates_own_answer() -> None:
    """The attempt tells which prediction it is, and the worker that waits for the answer is too late with it."""
    story = Story()
    waiting = story.claim()
    assert story.end_prediction("p1")
    with pytest.raises(StaleClaim):
        story.render.submitted(waiting, "p1", story.now, POLICY)
    assert story.render.claim_finish(story.now, POLICY) is not None


def test_a_create_that_seemed_to_fail_does_not_undo_the_prediction_it_made() -> None:
    """The connection broke, the prediction was made and has ended: a second one would be billed for nothing."""
    story = Story()
    waiting = story.claim()
    assert story.end_prediction("p1")
    with pytest.raises(StaleClaim):
        story.fail_attempt(waiting)
    assert story.render.prediction_id == "p1"


@pytest.mark.parametrize("attempt", [0, 1, 3])
def test_news_of_another_attempt_is_none(attempt: int) -> None:
    story = Story()
    story.fail_attempt(story.claim())
    story.now += SECOND
    story.claim()
    assert not story.end_prediction("p1", attempt=attempt)


def test_news_of_another_prediction_is_none() -> None:
    """Even when it names the present attempt."""
    story = Story()
    story.submit("p1")
    assert not story.end_prediction("p2")


def test_a_failure_told_twice_counts_once() -> None:
    """The second telling comes while the view waits for its next attempt."""
    story = Story()
    claim = story.claim_end()
    story.fail_attempt(claim)
    assert not story.end_prediction("p1")
    assert (story.render.prediction, story.render.due_at) == (None, story.now + SECOND)


def test_news_before_the_first_attempt_is_none() -> None:
    assert not Story().end_prediction("p1", attempt=0)


# Finishing


def test_a_stored_picture_completes_the_view() -> None:
    story = Story()
    change = story.complete()
    assert change == Change(completed=[story.render])
    assert (story.render.status, story.image.status) == (Status.COMPLETED, Status.COMPLETED)
    assert story.render.finished_at == story.now
    stored = (story.render.output_key, story.render.output_width, story.render.output_height)
    assert stored == (OUTPUT.key, OUTPUT.width, OUTPUT.height)


def test_a_finished_front_sends_its_sides_to_the_workers() -> None:
    """Side by side, from now on."""
    story = Story(try_on(*SIDES))
    change = story.complete()
    assert [render.view for render in change.queued] == list(SIDES)
    assert {render.due_at for render in change.queued} == {story.now}
    assert story.image.status is Status.PROCESSING


def test_two_workers_never_store_the_same_output() -> None:
    story = Story()
    story.claim_end()
    assert story.render.claim_finish(story.now + POLICY.lease - SECOND, POLICY) is None


def test_a_worker_that_slept_while_another_stored_is_refused() -> None:
    """Whatever it brings, and nothing changes."""
    story = Story()
    slow = story.claim_end()
    story.now += POLICY.lease
    quick = story.render.claim_finish(story.now, POLICY)
    assert quick is not None
    late: list[Callable[[], Change]] = [
        partial(story.image.complete, story.render, slow, OUTPUT, story.now),
        partial(story.fail_attempt, slow),
        partial(story.render.put_off, slow, ViewError.STORAGE_UNAVAILABLE, story.now),
        partial(story.image.reject, story.render, slow, ViewError.PROVIDER_BAD_OUTPUT, story.now),
    ]
    for write in late:
        with pytest.raises(StaleClaim):
            write()
    story.image.complete(story.render, quick, Output("quick.jpg", 1, 1), story.now)
    assert story.render.output_key == "quick.jpg"


def test_a_failed_attempt_is_followed_by_another_at_its_time() -> None:
    """The cause is remembered, the prediction forgotten."""
    story = Story()
    change = story.fail_attempt(story.claim_end(), ViewError.PROVIDER_BUSY)
    assert change == Change(queued=[story.render])
    assert (story.render.status, story.render.error) == (Status.PROCESSING, ViewError.PROVIDER_BUSY)
    assert (story.render.prediction_id, story.render.prediction) == (None, None)


def test_after_three_attempts_the_view_fails_with_the_last_cause() -> None:
    story = Story()
    for attempt in (1, 2, 3):
        change = story.fail_attempt(
            story.claim(), ViewError.PROVIDER_BUSY if attempt == 3 else ViewError.INTERNAL_ERROR
        )
        story.now += SECOND
    assert change == Change(ended=[story.render])
    assert (story.render.status, story.render.error) == (Status.FAILED, ViewError.PROVIDER_BUSY)
    assert story.image.status is Status.FAILED


@pytest.mark.parametrize(
    ("error", "stumbles"), [(ViewError.PROVIDER_BAD_OUTPUT, 1), (ViewError.STORAGE_UNAVAILABLE, 0)]
)
def test_an_output_that_cannot_be_kept_now_is_come_back_for(error: ViewError, stumbles: int) -> None:
    """With the same prediction, for it will be billed; that the storage is away does not count against it."""
    story = Story()
    claim = story.claim_end("p1")
    change = story.render.put_off(claim, error, story.now + SECOND)
    assert change == Change(queued=[story.render])
    assert (story.render.prediction_id, story.render.attempt, story.render.stumbles) == ("p1", 1, stumbles)
    assert story.render.claim_finish(story.now, POLICY) is None
    assert story.render.claim_finish(story.now + SECOND, POLICY) is not None


def test_what_trying_again_would_not_change_fails_at_once() -> None:
    story = Story()
    claim = story.claim_end()
    change = story.image.reject(story.render, claim, ViewError.PROVIDER_REJECTED, story.now)
    assert change == Change(ended=[story.render])
    assert (story.render.status, story.render.error, story.render.attempt) == (
        Status.FAILED,
        ViewError.PROVIDER_REJECTED,
        1,
    )


def test_a_failed_front_takes_its_sides_along() -> None:
    story = Story(try_on(*SIDES))
    change = story.image.reject(story.render, story.claim_end(), ViewError.PROVIDER_REJECTED, story.now)
    assert change.ended == story.image.views
    assert [render.error for render in story.image.views] == [
        ViewError.PROVIDER_REJECTED,
        *[ViewError.FRONT_FAILED] * 3,
    ]
    assert story.image.status is Status.FAILED


def test_a_failed_side_leaves_the_rest_as_it_is() -> None:
    """The image is COMPLETED when its front is, and the other sides go on."""
    story = Story(try_on(View.LEFT, View.BACK))
    story.complete("p1")
    left = story.of(View.LEFT)
    change = story.image.reject(left.render, left.claim_end("p2"), ViewError.PROVIDER_REJECTED, story.now)
    assert change == Change(ended=[left.render])
    assert story.image_status() is Status.PROCESSING
    story.of(View.BACK).complete("p3")
    assert story.image_status() is Status.COMPLETED


def test_a_deleted_try_on_ends_and_knows_where_its_pictures_may_be() -> None:
    """What was open is cancelled, what was there stays there; every attempt of every round may have left a file."""
    story = Story(try_on(View.LEFT))
    story.complete()
    left = story.of(View.LEFT)
    left.claim()
    left.render.attempt, left.render.round = 2, 2
    change = story.image.delete(story.now)
    assert (change.ended, change.completed, change.queued) == ([left.render], [], [])
    assert (story.image.deleted_at, story.render.status, left.render.status) == (
        story.now,
        Status.COMPLETED,
        Status.CANCELLED,
    )
    story.render.output_key = "images/another-folder/front-1.jpg"
    names = ["front-1", "left-1", "left-2"]
    assert story.image.output_keys == {story.render.output_key, *(f"images/folder/{name}.jpg" for name in names)}


def test_the_places_of_pictures_are_as_many_as_the_attempts() -> None:
    """A front that is refused and asked for again all day costs nothing; it must not cost a worker to remove it."""
    story = Story(try_on())
    story.render.attempt = story.render.round = 5_000
    assert len(story.image.output_keys) == 5_000


def test_what_has_ended_stays_as_it_is() -> None:
    """A completed view is not failed, claimed, swept or told about again."""
    story = Story()
    claim = story.claim_end()
    story.image.complete(story.render, claim, OUTPUT, story.now)
    story.now += POLICY.deadline
    assert story.image.fail(story.render, ViewError.INTERNAL_ERROR, story.now) == Change()
    assert story.sweep() == Change()
    assert not story.end_prediction("p1")
    assert not story.image.submittable(story.render, story.now, POLICY)
    assert story.render.claim_finish(story.now, POLICY) is None
    with pytest.raises(StaleClaim):
        story.image.complete(story.render, claim, Output("late.jpg", 1, 1), story.now)
    assert (story.render.status, story.render.output_key) == (Status.COMPLETED, OUTPUT.key)


# Sweeping


def test_a_prediction_that_never_ends_times_out() -> None:
    """After 120 seconds, FAILED, though attempts are left: the customer has waited enough."""
    story = Story()
    story.submit()
    assert story.sweep(after=POLICY.timeout - SECOND) == Change()
    assert story.sweep(after=SECOND) == Change(ended=[story.render])
    assert (story.render.status, story.render.error) == (Status.FAILED, ViewError.PROVIDER_TIMEOUT)
    assert story.render.prediction_id == "p1", "whom to tell that nobody waits any more"


def test_a_deadline_reports_the_last_known_cause() -> None:
    story = Story()
    story.fail_attempt(story.claim(), ViewError.PROVIDER_BUSY)
    story.sweep(after=POLICY.deadline)
    assert (story.render.status, story.render.error) == (Status.FAILED, ViewError.PROVIDER_BUSY)


def test_a_view_that_nobody_ever_took_times_out() -> None:
    story = Story(try_on(View.LEFT))
    change = story.sweep(after=POLICY.deadline)
    assert change.ended == story.image.views
    assert [render.error for render in change.ended] == [ViewError.PROVIDER_TIMEOUT, ViewError.FRONT_FAILED]


def test_a_view_whose_worker_died_is_announced_again() -> None:
    story = Story()
    story.claim()
    assert story.sweep(after=POLICY.lease - SECOND) == Change()
    assert story.sweep(after=SECOND) == Change(queued=[story.render])
    assert story.claim()
    assert story.render.attempt == 2


def test_work_that_kills_its_worker_every_time_fails_after_three_attempts() -> None:
    story = Story()
    for _ in range(3):
        story.claim()
        change = story.sweep(after=POLICY.lease)
    assert change == Change(ended=[story.render])
    assert (story.render.status, story.render.error) == (Status.FAILED, ViewError.INTERNAL_ERROR)


def test_an_output_that_kills_its_worker_every_time_fails_after_three_attempts() -> None:
    """As does creating: one picture does not take down a worker after another until its deadline."""
    story = Story()
    story.claim_end()
    for _ in range(2):
        assert story.sweep(after=POLICY.lease) == Change(queued=[story.render])
        assert story.render.claim_finish(story.now, POLICY) is not None
    assert story.sweep(after=POLICY.lease) == Change(ended=[story.render])
    assert (story.render.status, story.render.error) == (Status.FAILED, ViewError.INTERNAL_ERROR)


def test_the_tries_at_an_output_are_counted_without_a_sweeper_too() -> None:
    """A worker that is woken before the sweeper came counts the one that did not come back."""
    story = Story()
    story.claim_end()
    for _ in range(2):
        story.now += POLICY.lease
        assert story.render.claim_finish(story.now, POLICY) is not None
    story.now += POLICY.lease
    assert story.render.claim_finish(story.now, POLICY) is None
    assert story.sweep() == Change(ended=[story.render])


def test_the_tries_at_an_output_are_no_attempts() -> None:
    """Where the policy allows one create, what it brought is still fetched by another worker: that costs nothing."""
    story = Story()
    story.claim_end()
    story.now += POLICY.lease
    assert story.render.claim_finish(story.now, replace(POLICY, attempts=1)) is not None


def test_a_side_that_waits_for_its_front_is_left_in_peace() -> None:
    story = Story(try_on(View.LEFT))
    assert story.of(View.LEFT).sweep(after=POLICY.lease) == Change()


def test_a_view_at_the_provider_needs_no_worker() -> None:
    story = Story()
    story.submit()
    assert story.sweep(after=POLICY.lease) == Change()


# The image's own status


@pytest.mark.parametrize("order", [*permutations(SIDES)])
def test_sides_finish_in_any_order(order: tuple[View, ...]) -> None:
    story = Story(try_on(*SIDES))
    story.complete("p0")
    for number, side in enumerate(order, start=1):
        assert story.image.status is Status.PROCESSING
        story.of(side).complete(f"p{number}")
    assert story.image.status is Status.COMPLETED
