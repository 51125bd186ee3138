from collections.abc import Callable
from datetime import timedelta

import pytest

from application.actor import Actor
from application.events import PredictionAbandoned, ViewFinishable, ViewSubmittable
from application.images.backoff import LONGEST_WAIT, backoff
from application.images.ports import ModelBusy, ModelRefused, ModelUnavailable, Prediction
from application.images.provider_webhook import ProviderWebhook
from application.images.record_prediction import RecordPrediction
from application.images.sweep_view import SweepView
from domain.credits import HoldStatus
from domain.errors import Unavailable
from domain.images import GeneratedImage
from domain.renders import ViewRender
from domain.views import Status, View, ViewError
from tests.fakes import Order
from tests.unit.application.rendering import CUSTOMER, WEBHOOK, WORKER, Studio
from tests.unit.factories import NOW, POLICY

SECOND = timedelta(seconds=1)


async def test_the_front_is_ordered_from_the_photo_and_nobody_waits_for_it() -> None:
    """One create, its prediction noted in a second transaction, and no lease left."""
    studio = await Studio.with_credits(1)
    image = await studio.accept()
    commits = studio.uow.commits
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    (order,) = studio.model.orders
    assert order.prompt == studio.styles.rows.kept[1].prompts[0].front
    assert order.inputs == [await studio.storage.url(studio.photo.key)]
    assert image.front.prediction_id in studio.model.predictions
    assert (image.front.lease_until, image.front.poll_at) == (None, NOW + POLICY.poll)
    assert studio.uow.commits == commits + 2
    assert studio.accounts.hold_of(image.front) is HoldStatus.PENDING


async def test_the_view_is_kept_while_the_provider_is_asked() -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept()

    async def look(_: Prediction, __: Order) -> None:
        assert studio.leases.kept == {(image.front.id, image.front.claim)}

    studio.model.before_answering = look
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert studio.leases.kept == set()


async def test_the_provider_is_told_where_to_report_and_for_which_attempt() -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_submit()
    assert studio.model.orders[0].webhook == ProviderWebhook(WEBHOOK).address(image.front.id, 1)


async def test_a_provider_that_cannot_reach_us_is_given_no_address() -> None:
    """The poller looks instead."""
    studio = await Studio.with_credits(1, webhook=None)
    await studio.accept_and_submit()
    assert studio.model.orders[0].webhook is None


async def test_a_photo_that_the_provider_cannot_reach_is_lent_to_it() -> None:
    studio = await Studio.with_credits(1)
    studio.storage.is_public = False
    await studio.accept_and_submit()
    (address,) = studio.model.orders[0].inputs
    assert studio.model.uploads[address] == b"a photo"


async def test_a_side_is_ordered_from_the_finished_front_in_its_own_words() -> None:
    studio = await Studio.with_credits(2)
    image = await studio.accept_and_render(View.LEFT)
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    await studio.submit(ViewSubmittable(image.render(View.LEFT).id), WORKER)
    order = studio.model.orders[-1]
    assert order.prompt == studio.styles.rows.kept[1].prompts[0].left
    assert image.front.output_key is not None
    assert order.inputs == [await studio.storage.url(image.front.output_key)]


async def test_a_job_that_is_delivered_twice_creates_once() -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_submit()
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert len(studio.model.orders) == 1


async def test_a_job_for_a_view_that_is_not_there_does_nothing() -> None:
    studio = await Studio.with_credits(1)
    await studio.submit(ViewSubmittable(99), WORKER)
    assert studio.model.orders == []


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (ModelBusy("busy"), ViewError.PROVIDER_BUSY),
        (ModelUnavailable("away"), ViewError.PROVIDER_UNAVAILABLE),
    ],
)
async def test_what_may_pass_is_tried_again_after_a_second(trouble: Exception, error: ViewError) -> None:
    """The credit stays reserved meanwhile."""
    studio = await Studio.with_credits(1)
    image = await studio.accept()
    studio.model.troubles = [trouble]
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert (image.front.status, image.front.error) == (Status.PROCESSING, error)
    again = studio.outbox.announced[-1]
    assert again.event == ViewSubmittable(image.front.id)
    assert again.not_before == image.front.due_at
    assert SECOND <= image.front.due_at - NOW <= 1.5 * SECOND
    assert studio.accounts.hold_of(image.front) is HoldStatus.PENDING
    studio.uow.time = image.front.due_at
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert image.front.prediction_id is not None


async def test_a_busy_provider_is_asked_again_when_it_says() -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept()
    studio.model.troubles = [ModelBusy("busy", retry_after=7.5)]
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert image.front.due_at == NOW + 7.5 * SECOND


async def test_a_provider_that_is_busy_for_ages_fails_the_view_at_its_deadline() -> None:
    """However large the number it names."""
    studio = await Studio.with_credits(1)
    image = await studio.accept()
    studio.model.troubles = [ModelBusy("busy", retry_after=1e300)]
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    studio.uow.time = NOW + POLICY.deadline
    await studio.sweep(SweepView(image.front.id), WORKER)
    assert (image.front.status, image.front.error) == (Status.FAILED, ViewError.PROVIDER_BUSY)
    assert (await studio.accounts.balance(CUSTOMER)).credits_available == 1


@pytest.mark.parametrize("trouble", [lambda: ModelBusy("busy", retry_after=0), lambda: ModelUnavailable("away")])
async def test_after_three_attempts_the_credit_is_back(trouble: Callable[[], Exception]) -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept()
    studio.model.troubles = [trouble() for _ in range(9)]
    for _ in range(5):
        studio.uow.time = max(studio.uow.time, image.front.due_at)
        await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert len(studio.model.orders) == 3
    assert image.status is Status.FAILED
    assert studio.accounts.hold_of(image.front) is HoldStatus.VOIDED


async def test_a_refused_order_fails_at_once() -> None:
    """The same order would be refused again; its sides go with it, and all credits are back."""
    studio = await Studio.with_credits(2)
    image = await studio.accept(View.BACK)
    studio.model.troubles = [ModelRefused("no such input", status=422)]
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert [render.error for render in image.views] == [ViewError.PROVIDER_UNAVAILABLE, ViewError.FRONT_FAILED]
    assert (await studio.accounts.balance(CUSTOMER)).credits_available == 2


async def test_a_photo_that_cannot_be_read_now_costs_no_attempt() -> None:
    """The storage is away: the provider is asked as soon as it is back, however often that took."""
    studio = await Studio.with_credits(1)
    studio.storage.is_public = False
    image = await studio.accept()
    studio.storage.is_away = True
    for _ in range(5):
        await studio.submit(ViewSubmittable(image.front.id), WORKER)
        assert (image.front.status, image.front.error) == (Status.PROCESSING, ViewError.STORAGE_UNAVAILABLE)
        assert studio.outbox.announced[-1].event == ViewSubmittable(image.front.id)
        studio.uow.time = image.front.due_at
    assert studio.model.orders == []
    studio.storage.is_away = False
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert (image.front.attempt, len(studio.model.orders)) == (1, 1)


async def test_a_photo_that_is_gone_fails_the_view_after_three_attempts() -> None:
    studio = await Studio.with_credits(1)
    studio.storage.is_public = False
    image = await studio.accept()
    studio.storage.pictures.clear()
    for _ in range(3):
        await studio.submit(ViewSubmittable(image.front.id), WORKER)
        studio.uow.time = max(studio.uow.time, image.front.due_at)
    assert (image.front.status, image.front.error) == (Status.FAILED, ViewError.STORAGE_UNAVAILABLE)
    assert studio.model.orders == []


async def test_a_prediction_is_noted_when_the_database_is_back() -> None:
    """An id that is lost is a rendering that is paid twice."""
    studio = await Studio.with_credits(1)
    image = await studio.accept()
    claim = studio.images.claim

    async def away_once(view_id: int) -> tuple[GeneratedImage, ViewRender] | None:
        if studio.model.orders:
            studio.images.claim = claim  # type: ignore[method-assign]
            raise Unavailable("service_unavailable", "The database is away.")
        return await claim(view_id)

    studio.images.claim = away_once  # type: ignore[method-assign]
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert (image.front.prediction_id, len(studio.model.orders)) == ("prediction1", 1)


@pytest.mark.parametrize("attempts", [0, 1])
async def test_what_was_called_off_is_called_off_once(attempts: int) -> None:
    """Though the connection died after the database had kept it and before it said so: no attempt comes twice."""
    studio = await Studio.with_credits(1)
    studio.storage.is_public = False
    image = await studio.accept()
    for _ in range(attempts):
        studio.model.troubles = [ModelUnavailable("no answer")]
        await studio.submit(ViewSubmittable(image.front.id), WORKER)
        studio.uow.time = image.front.due_at
    studio.storage.is_away = True
    studio.uow.dies_after = 2
    announced = len(studio.outbox.events)
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert image.front.attempt == attempts
    assert len(studio.outbox.events) == announced + 1


async def test_a_prediction_that_ends_before_its_create_is_answered_is_finished_all_the_same() -> None:
    """The provider's news names view and attempt; the create's own answer is then no news."""
    studio = await Studio.with_credits(1)
    image = await studio.accept()

    async def report_first(prediction: Prediction, _: Order) -> None:
        studio.model.finish(prediction.id)
        news = RecordPrediction(image.front.id, 1, studio.model.predictions[prediction.id])
        await studio.record(news, Actor.system("replicate"))

    studio.model.before_answering = report_first
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert studio.outbox.events[-1] == ViewFinishable(image.front.id), "and nothing is cancelled"
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert image.status is Status.COMPLETED


async def test_a_worker_that_was_thought_dead_changes_nothing() -> None:
    """Another took the view over while the first waited for its create: the second's prediction stands."""
    studio = await Studio.with_credits(1)
    image = await studio.accept()

    async def sleep_through_the_lease(_: Prediction, __: Order) -> None:
        studio.model.before_answering = None
        studio.uow.time += POLICY.lease
        await studio.submit(ViewSubmittable(image.front.id), WORKER)

    studio.model.before_answering = sleep_through_the_lease
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert [order.webhook for order in studio.model.orders] == [
        ProviderWebhook(WEBHOOK).address(image.front.id, attempt) for attempt in (1, 2)
    ]
    assert (image.front.attempt, image.front.prediction_id) == (2, "prediction2")
    assert [event for event in studio.outbox.events if isinstance(event, PredictionAbandoned)] == [
        PredictionAbandoned(image.front.id, "prediction1")
    ]


async def test_a_prediction_made_for_a_view_that_was_cancelled_meanwhile_is_abandoned() -> None:
    """Nobody waits for it, and the provider is to hear that."""
    studio = await Studio.with_credits(1)
    image = await studio.accept()

    async def cancel(_: Prediction, __: Order) -> None:
        await studio.settlement.settle(image.cancel(await studio.uow.now()))
        await studio.uow.commit()

    studio.model.before_answering = cancel
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert studio.outbox.events[-1] == PredictionAbandoned(image.front.id, "prediction1")
    assert image.status is Status.CANCELLED


def test_the_wait_grows_with_the_attempts_and_is_never_the_same() -> None:
    """1 s, then 2 s, with up to half as much more, so that many views do not come back at once."""
    first, second = [backoff(1) for _ in range(50)], [backoff(2) for _ in range(50)]
    assert all(SECOND <= wait <= 1.5 * SECOND for wait in first)
    assert all(2 * SECOND <= wait <= 3 * SECOND for wait in second)
    assert len(set(first)) > 1


def test_the_providers_own_wait_is_taken_as_it_is() -> None:
    assert backoff(1, 0.25) == SECOND / 4
    assert backoff(3, 1e300) == LONGEST_WAIT
