"""How the end of a prediction is learnt (by the provider's word, or by looking), and what the sweeper does about it."""

from datetime import timedelta

import pytest

from application.actor import Actor
from application.events import PredictionAbandoned, ViewFinishable, ViewSubmittable
from application.images.cancel_prediction import CancelPredictionHandler
from application.images.poll_prediction import PollPrediction
from application.images.ports import ModelBusy, ModelRefused, ModelUnavailable, Prediction
from application.images.record_prediction import RecordPrediction
from application.images.sweep_view import SweepView
from domain.credits import HoldStatus
from domain.errors import Unavailable
from domain.images import GeneratedImage
from domain.views import Status, View, ViewError
from tests.unit.application.rendering import CUSTOMER, WORKER, Studio
from tests.unit.factories import NOW, POLICY

REPLICATE = Actor.system("replicate")


async def rendering(*sides: View) -> tuple[Studio, GeneratedImage]:
    """A view at the provider, and the time come to look at it."""
    studio = await Studio.with_credits(4)
    image = await studio.accept_and_submit(*sides)
    studio.uow.time = NOW + POLICY.poll
    return studio, image


def finishable(studio: Studio, image: GeneratedImage) -> int:
    return studio.outbox.events.count(ViewFinishable(image.front.id))


# The provider's word


async def test_the_providers_word_wakes_one_worker() -> None:
    """However often it comes."""
    studio, image = await rendering()
    studio.model.render()
    for _ in range(3):
        await studio.tell(image.front)
    assert finishable(studio, image) == 1
    assert not studio.uow.is_open


@pytest.mark.parametrize("status", ["starting", "processing", "queued", ""])
async def test_a_prediction_that_has_not_ended_is_no_news(status: str) -> None:
    """Words that we do not know count as not ended: the deadline ends what never ends by itself."""
    studio, image = await rendering()
    await studio.record(RecordPrediction(image.front.id, 1, Prediction("prediction1", status)), REPLICATE)
    assert finishable(studio, image) == 0
    assert image.front.prediction is None


@pytest.mark.parametrize(("view_id", "attempt", "prediction_id"), [(999, 1, "p"), (0, 2, "p"), (0, 1, "another")])
async def test_word_of_another_view_attempt_or_prediction_changes_nothing(
    view_id: int, attempt: int, prediction_id: str
) -> None:
    studio, image = await rendering()
    word = Prediction(prediction_id, "succeeded", ["https://provider.test/elsewhere.jpg"])
    await studio.record(RecordPrediction(view_id or image.front.id, attempt, word), REPLICATE)
    assert finishable(studio, image) == 0
    assert (image.front.prediction, image.front.prediction_id) == (None, "prediction1")


# Looking


async def test_a_look_notes_the_end_as_the_providers_word_would() -> None:
    studio, image = await rendering()
    studio.model.render()
    await studio.poll(PollPrediction(image.front.id), WORKER)
    await studio.tell(image.front)
    assert finishable(studio, image) == 1


async def test_looks_are_two_seconds_apart_however_many_pollers_there_are() -> None:
    """The next one is booked before this one is taken."""
    studio, image = await rendering()
    await studio.poll(PollPrediction(image.front.id), WORKER)
    assert image.front.poll_at == studio.uow.time + POLICY.poll
    studio.model.troubles = [AssertionError("the provider is asked again")]
    await studio.poll(PollPrediction(image.front.id), WORKER)
    await studio.poll(PollPrediction(999), WORKER)
    assert image.front.prediction is None


@pytest.mark.parametrize(
    "trouble", [ModelBusy("busy"), ModelUnavailable("away"), ModelRefused("no", status=401)], ids=repr
)
async def test_a_look_that_fails_is_taken_again_later(trouble: Exception) -> None:
    studio, image = await rendering()
    studio.model.render()
    studio.model.troubles = [trouble]
    await studio.poll(PollPrediction(image.front.id), WORKER)
    assert finishable(studio, image) == 0
    studio.uow.time += POLICY.poll
    await studio.poll(PollPrediction(image.front.id), WORKER)
    assert finishable(studio, image) == 1


async def test_a_prediction_that_the_provider_does_not_know_has_failed() -> None:
    """It is ordered anew, not waited for."""
    studio, image = await rendering()
    studio.model.predictions.clear()
    await studio.poll(PollPrediction(image.front.id), WORKER)
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert (image.front.error, image.front.prediction_id) == (ViewError.PROVIDER_UNAVAILABLE, None)


# Sweeping


async def test_a_view_past_its_time_fails_and_its_credit_is_back() -> None:
    """The provider is told that nobody waits any more."""
    studio, image = await rendering(View.LEFT)
    studio.uow.time = NOW + POLICY.timeout
    await studio.sweep(SweepView(image.front.id), WORKER)
    assert [render.error for render in image.views] == [ViewError.PROVIDER_TIMEOUT, ViewError.FRONT_FAILED]
    assert {studio.accounts.hold_of(render) for render in image.views} == {HoldStatus.VOIDED}
    assert (await studio.accounts.balance(CUSTOMER)).credits_available == 4
    assert studio.outbox.events[-1] == PredictionAbandoned(image.front.id, "prediction1")


async def test_nobody_cancels_what_has_ended() -> None:
    """A view that fails after its prediction came back leaves the provider in peace."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    studio.uow.time = NOW + POLICY.deadline
    await studio.sweep(SweepView(image.front.id), WORKER)
    assert image.status is Status.FAILED
    assert not any(isinstance(event, PredictionAbandoned) for event in studio.outbox.events)


async def test_a_view_whose_worker_died_is_announced_again() -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept()
    image.claim_submit(image.front, NOW, POLICY)
    studio.uow.time = NOW + POLICY.lease
    await studio.sweep(SweepView(image.front.id), WORKER)
    assert studio.outbox.events == [ViewSubmittable(image.front.id)] * 2


async def test_a_view_whose_worker_died_while_storing_is_announced_for_storing() -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    assert image.front.claim_finish(NOW, POLICY)
    studio.uow.time = NOW + POLICY.lease
    await studio.sweep(SweepView(image.front.id), WORKER)
    assert finishable(studio, image) == 2


async def test_what_needs_no_sweeping_is_left_alone() -> None:
    studio, image = await rendering()
    before = list(studio.outbox.events)
    for view_id in (image.front.id, 999):
        await studio.sweep(SweepView(view_id), WORKER)
    studio.uow.time += timedelta(seconds=1)
    assert (studio.outbox.events, image.front.status) == (before, Status.PROCESSING)


# Cancelling


async def test_an_abandoned_prediction_is_cancelled_at_the_provider() -> None:
    studio, image = await rendering()
    await CancelPredictionHandler(model=studio.model)(PredictionAbandoned(image.front.id, "prediction1"), WORKER)
    assert studio.model.predictions["prediction1"].status == "canceled"


async def test_a_provider_that_will_not_cancel_is_not_asked_again() -> None:
    """But one that did not answer is: the job fails, and is delivered once more."""
    studio, image = await rendering()
    cancel, abandoned = CancelPredictionHandler(model=studio.model), PredictionAbandoned(image.front.id, "prediction1")
    studio.model.troubles = [ModelRefused("it has ended", status=422)]
    await cancel(abandoned, WORKER)
    studio.model.troubles = [ModelUnavailable("away")]
    with pytest.raises(Unavailable):
        await cancel(abandoned, WORKER)
