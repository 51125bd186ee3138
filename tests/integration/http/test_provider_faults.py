"""The image model misbehaves: who pays, what is tried again, and what the customer is told."""

import pytest

from application.images.ports import ModelBusy, ModelRefused, ModelUnavailable
from tests.integration.http.conftest import Start
from tests.integration.http.stories import Service

FILTERED = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"


async def test_a_plain_failure_is_tried_three_times_and_then_given_up(service: Service) -> None:
    """Three creates, then FAILED `provider_unavailable`, and the credit is back."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.plan("failed", "failed", "failed", error="CUDA out of memory")
    await service.work_for(30)
    assert await customer.views(image) == {"front": ("FAILED", "provider_unavailable")}
    assert len(service.model.orders) == 3
    assert await customer.credits() == (1, 0)


@pytest.mark.parametrize("word", ["failed", "canceled", "aborted"])
async def test_another_attempt_may_succeed(service: Service, word: str) -> None:
    """A prediction that ended without an output is made anew, and one credit is spent."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.plan(word, "succeeded")
    await service.work_for(10)
    assert (await customer.status(image))["status"] == "COMPLETED"
    assert len(service.model.orders) == 2
    assert await customer.credits() == (0, 0)


async def test_attempts_wait_a_little_longer_each_time(service: Service) -> None:
    """The second comes a second after the first failed, the third two seconds after the second, and not before."""
    customer = await service.customer()
    await customer.generate()
    service.model.plan("failed", "failed")
    await service.work()
    for earlier, later, creates in ((0.5, 1.5, 2), (1.5, 2.5, 3)):
        await service.pass_time(earlier)
        await service.work()
        assert len(service.model.orders) == creates - 1
        await service.pass_time(later)
        await service.work()
        assert len(service.model.orders) == creates


async def test_the_content_filter_is_final(service: Service) -> None:
    """FAILED `provider_rejected` after one create; the credit is back at once."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.plan("failed", error=FILTERED)
    await service.work_for(30)
    assert await customer.views(image) == {"front": ("FAILED", "provider_rejected")}
    assert (await customer.status(image))["status"] == "FAILED"
    assert len(service.model.orders) == 1
    assert await customer.credits() == (1, 0)


async def test_silence_is_ended_and_cancelled(service: Service) -> None:
    """What is still rendered after 120 s is FAILED `provider_timeout`, cancelled at the provider, and paid back."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.plan("processing")
    await service.work_for(115, step=23)
    assert (await customer.status(image))["status"] == "PROCESSING"
    assert service.model.cancelled == []
    await service.work_for(10)
    assert await customer.views(image) == {"front": ("FAILED", "provider_timeout")}
    assert service.model.cancelled == ["prediction1"]
    assert len(service.model.orders) == 1
    assert await customer.credits() == (1, 0)


async def test_a_word_that_nobody_knows_is_waited_for(service: Service) -> None:
    """An unknown status is no end: the deadline is."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.plan("queued")
    await service.work_for(125, step=25)
    assert await customer.views(image) == {"front": ("FAILED", "provider_timeout")}


async def test_a_prediction_that_the_provider_forgot_is_made_anew(service: Service) -> None:
    """It keeps them for an hour only; 404 counts as a failed attempt."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    await service.worker.drain()
    service.model.predictions.clear()
    await service.worker.poll()
    await service.work_for(10)
    assert (await customer.status(image))["status"] == "COMPLETED"
    assert len(service.model.orders) == 2


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (ModelUnavailable("The connection was reset."), "provider_unavailable"),
        (ModelBusy("Slow down."), "provider_busy"),
    ],
)
async def test_creates_that_fail_use_up_the_attempts(service: Service, trouble: Exception, error: str) -> None:
    """Three creates at most, whatever each was answered; then FAILED with the cause, and the credit is back."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.troubles = [trouble] * 3
    await service.work_for(30)
    assert await customer.views(image) == {"front": ("FAILED", error)}
    assert len(service.model.orders) == 3
    assert await customer.credits() == (1, 0)
    assert str(trouble) not in str(await customer.status(image))


async def test_a_provider_that_wants_money_costs_no_attempts(service: Service) -> None:
    """It is asked once a minute, an operator is alerted once, and the view is rendered when the bill is paid."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.troubles = [ModelRefused("Please visit our billing page to add credit.", status=402)] * 5
    service.unpaid_creates = 5
    service.expected_alerts = ["provider_credit_exhausted"]
    await service.work_for(240, step=10)
    assert (await customer.status(image))["status"] == "PROCESSING"
    assert len(service.model.orders) in {4, 5}
    await service.work_for(120, step=10)
    assert await customer.views(image) == {"front": ("COMPLETED", None)}
    assert len(service.model.orders) == 6


async def test_a_create_that_would_be_refused_again_is_not_repeated(service: Service) -> None:
    """422 from the provider fails the view at the first create, and the credit is back."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.troubles = [ModelRefused("Input validation failed.", status=422)]
    await service.work_for(30)
    assert await customer.views(image) == {"front": ("FAILED", "provider_unavailable")}
    assert len(service.model.orders) == 1
    assert await customer.credits() == (1, 0)


async def test_busy_is_waited_out_as_long_as_the_provider_says(service: Service) -> None:
    """After 429 with 40 seconds the next create comes after them and not before."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.troubles = [ModelBusy("Slow down.", retry_after=40)]
    await service.work_for(35)
    assert len(service.model.orders) == 1
    assert (await customer.status(image))["status"] == "PROCESSING"
    await service.work_for(10)
    assert len(service.model.orders) == 2
    assert (await customer.status(image))["status"] == "COMPLETED"


@pytest.mark.parametrize("wait", [3600.0, 1e9, 1e300])
async def test_no_wait_outlasts_the_deadline(service: Service, wait: float) -> None:
    """A provider that asks for longer than there is ends in FAILED `provider_busy` after 15 minutes, not later."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.troubles = [ModelBusy("Slow down.", retry_after=wait)]
    await service.work()
    await service.pass_time(880)
    await service.worker.sweep()
    assert (await customer.status(image))["status"] == "PROCESSING"
    await service.pass_time(20)
    await service.worker.sweep()
    assert await customer.views(image) == {"front": ("FAILED", "provider_busy")}
    assert len(service.model.orders) == 1
    assert await customer.credits() == (1, 0)


async def test_one_side_that_fails_costs_nothing_and_spoils_nothing(service: Service) -> None:
    """The third of four views is refused: the image is COMPLETED, three are there and paid, one credit is back."""
    customer = await service.customer(credits=4)
    image = await customer.generate(["front", "right", "left", "back"])
    service.model.plan("succeeded", "succeeded")
    service.model.plan("failed", error=FILTERED)
    await service.work_for(10)
    assert await customer.views(image) == {
        "front": ("COMPLETED", None),
        "right": ("COMPLETED", None),
        "left": ("FAILED", "provider_rejected"),
        "back": ("COMPLETED", None),
    }
    status = await customer.status(image)
    assert (status["status"], status["error"], status["left_view_url"]) == ("COMPLETED", None, None)
    assert await customer.credits() == (1, 0)


async def test_a_front_that_fails_takes_the_sides_along(service: Service) -> None:
    """The sides were never ordered: FAILED `front_failed`, and every credit is back."""
    customer = await service.customer(credits=4)
    image = await customer.generate(["front", "right", "left", "back"])
    service.model.plan("failed", error=FILTERED)
    await service.work_for(10)
    assert await customer.views(image) == {
        "front": ("FAILED", "provider_rejected"),
        "right": ("FAILED", "front_failed"),
        "left": ("FAILED", "front_failed"),
        "back": ("FAILED", "front_failed"),
    }
    status = await customer.status(image)
    assert (status["status"], status["error"]["code"]) == ("FAILED", "provider_rejected")
    assert len(service.model.orders) == 1
    assert await customer.credits() == (4, 0)
    spent = [entry for entry in (await customer.get("/user/credits/history"))["items"] if entry["cause"] == "spend"]
    assert spent == []


async def test_a_worker_that_dies_is_replaced(service: Service) -> None:
    """A view whose worker vanished with its lease is taken up again, and ends with one charge."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.expects_errors = True
    service.model.troubles = [RuntimeError("The process is killed here.")]
    await service.work()
    assert (await customer.status(image))["status"] == "PROCESSING"
    await service.work_for(40)
    assert (await customer.status(image))["status"] == "COMPLETED"
    assert await customer.credits() == (0, 0)


async def test_work_that_kills_every_worker_is_given_up(service: Service) -> None:
    """After three attempts the view is FAILED `internal_error` and the credit is back."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.expects_errors = True
    service.model.troubles = [RuntimeError("The process is killed here.")] * 10
    await service.work_for(210, step=35)
    assert await customer.views(image) == {"front": ("FAILED", "internal_error")}
    assert len(service.model.orders) == 3
    assert await customer.credits() == (1, 0)


async def test_the_same_announcement_three_times_is_one_create(service: Service) -> None:
    """However often a view is announced, it is claimed, created and charged once."""
    customer = await service.customer(credits=1)
    await customer.generate()
    copy = "INSERT INTO outbox (job, payload, due_at) SELECT job, payload, now() FROM outbox LIMIT 1"
    for _ in range(2):
        await service.database.execute(copy)
    await service.work_for(10)
    assert len(service.model.orders) == 1
    assert await service.count("outbox") == 0
    assert await customer.credits() == (0, 0)


async def test_settings_say_how_often_and_how_long(start: Start) -> None:
    """One attempt and ten seconds, where operators want it so."""
    service = await start(GENERATION_MAX_ATTEMPTS="1", GENERATION_TIMEOUT_SECONDS="10")
    customer = await service.customer(credits=2)
    failing, slow = await customer.generate(), await customer.generate()
    service.model.plan("failed", "processing")
    await service.work_for(15)
    assert await customer.views(failing) == {"front": ("FAILED", "provider_unavailable")}
    assert await customer.views(slow) == {"front": ("FAILED", "provider_timeout")}
