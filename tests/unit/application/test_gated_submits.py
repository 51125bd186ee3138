"""Views before the gate: who is turned away waits and loses nothing, and the gate learns from every answer."""

import pytest

from application.events import ViewSubmittable
from application.images.model_gate import FAILURES, OVER_IMAGES, PROBE_AFTER, UNPAID_PAUSE, CreateRate
from application.images.ports import ModelBusy, ModelRefused, ModelUnavailable
from application.images.sweep_view import SweepView
from domain.credits import HoldStatus
from domain.images import GeneratedImage
from domain.views import Status, ViewError
from tests.unit.application.rendering import CUSTOMER, RATE, WORKER, Studio
from tests.unit.factories import NOW, POLICY


async def submit(studio: Studio, image: GeneratedImage) -> None:
    await studio.submit(ViewSubmittable(image.front.id), WORKER)


async def with_images(number: int) -> tuple[Studio, list[GeneratedImage]]:
    studio = await Studio.with_credits(number)
    return studio, [await studio.accept() for _ in range(number)]


async def fail_often(studio: Studio, images: list[GeneratedImage], times: int = FAILURES) -> None:
    studio.model.troubles = [ModelUnavailable("away") for _ in range(times)]
    for image in [*images] * 3:
        if studio.model.troubles:
            studio.uow.time = max(studio.uow.time, image.front.due_at)
            await submit(studio, image)
    assert studio.model.troubles == []


async def test_after_twenty_failures_in_a_row_nobody_asks_the_provider() -> None:
    """A view that comes then stays PENDING with all its attempts, and is announced for when the gate may open."""
    studio, images = await with_images(8)
    *failing, late = images
    await fail_often(studio, failing)
    orders = len(studio.model.orders)
    await submit(studio, late)
    assert len(studio.model.orders) == orders
    assert (late.front.status, late.front.attempt, late.front.claim) == (Status.PENDING, 0, 0)
    again = studio.outbox.announced[-1]
    assert (again.event, again.not_before) == (ViewSubmittable(late.front.id), late.front.due_at)
    assert late.front.due_at >= studio.uow.time + PROBE_AFTER


async def test_nineteen_failures_or_fewer_than_five_images_are_no_outage() -> None:
    studio, images = await with_images(8)
    await fail_often(studio, images, FAILURES - 1)
    assert not studio.gate.is_closed
    few, images = await with_images(OVER_IMAGES - 1)
    for _ in range(2):
        for image in images:
            await few.gate.failed(image.id)
    for _ in range(FAILURES):
        await few.gate.failed(images[0].id)
    await few.uow.commit()
    assert not few.gate.is_closed


async def test_the_first_to_come_after_five_seconds_is_the_probe_and_opens_the_gate() -> None:
    """The second is turned away until the probe's answer is known."""
    studio, images = await with_images(10)
    *failing, probe, second = images
    await fail_often(studio, failing)
    studio.uow.time += PROBE_AFTER
    orders = len(studio.model.orders)

    async def meanwhile(*_: object) -> None:
        studio.model.before_answering = None
        await submit(studio, second)

    studio.model.before_answering = meanwhile
    await submit(studio, probe)
    assert len(studio.model.orders) == orders + 1
    assert not studio.gate.is_closed
    studio.uow.time = second.front.due_at
    await submit(studio, second)
    assert (second.front.attempt, second.front.prediction_id is not None) == (1, True)


async def test_a_probe_that_fails_keeps_the_gate_closed() -> None:
    studio, images = await with_images(10)
    *failing, probe, second = images
    await fail_often(studio, failing)
    studio.uow.time += PROBE_AFTER
    studio.model.troubles = [ModelUnavailable("still away")]
    await submit(studio, probe)
    await submit(studio, second)
    assert (second.front.status, second.front.attempt) == (Status.PENDING, 0)
    assert second.front.due_at >= studio.uow.time + PROBE_AFTER


@pytest.mark.parametrize("trouble", [None, ModelRefused("no such input", status=422)])
async def test_any_answer_begins_the_count_anew(trouble: Exception | None) -> None:
    """A refusal too shows that the provider is there; to be busy shows nothing."""
    studio, images = await with_images(16)
    await fail_often(studio, images[:7], FAILURES - 1)
    studio.model.troubles = [trouble] if trouble else []
    await submit(studio, images[7])
    await fail_often(studio, images[8:15], FAILURES - 1)
    studio.model.troubles = [ModelBusy("busy")]
    await submit(studio, images[15])
    assert not studio.gate.is_closed


async def test_a_view_that_waits_for_the_gate_fails_at_its_deadline_with_the_true_cause() -> None:
    """FAILED provider_unavailable, and the credit is back."""
    studio, images = await with_images(8)
    *failing, late = images
    await fail_often(studio, failing)
    await submit(studio, late)
    studio.uow.time = NOW + POLICY.deadline
    await studio.sweep(SweepView(late.front.id), WORKER)
    assert studio.standing(late.front) == (Status.FAILED, ViewError.PROVIDER_UNAVAILABLE)
    assert studio.accounts.hold_of(late.front) is HoldStatus.VOIDED


async def test_a_provider_that_wants_money_pauses_everything_and_costs_no_attempt() -> None:
    """One alert, however many views meet with it; a minute later one of them tries again."""
    studio, (first, second) = await with_images(2)
    studio.model.troubles = [ModelRefused("pay first", status=402) for _ in range(2)]
    for _ in range(2):
        await submit(studio, first)
        await submit(studio, second)
        assert [image.front.attempt for image in (first, second)] == [0, 0]
        assert first.front.due_at >= studio.uow.time + UNPAID_PAUSE
        studio.uow.time = first.front.due_at
    assert (len(studio.model.orders), studio.gate.alerts) == (2, 1)
    await submit(studio, first)
    assert first.front.prediction_id is not None
    studio.uow.time = max(studio.uow.time, second.front.due_at)
    await submit(studio, second)
    assert second.front.prediction_id is not None
    assert (await studio.accounts.balance(CUSTOMER)).credits_held == 2


async def test_more_than_a_burst_at_once_come_back_one_after_the_other() -> None:
    """Each at a time of its own; their last known cause is a busy provider."""
    studio, images = await with_images(RATE.burst + 3)
    for image in images:
        await submit(studio, image)
    waiting = images[RATE.burst :]
    assert len(studio.model.orders) == RATE.burst
    assert [studio.standing(image.front) for image in waiting] == [(Status.PENDING, ViewError.PROVIDER_BUSY)] * 3
    times = [image.front.due_at for image in waiting]
    assert times == sorted(set(times))
    for image in waiting:
        studio.uow.time = image.front.due_at
        await submit(studio, image)
        if image.front.prediction_id is None:
            studio.uow.time = image.front.due_at
            await submit(studio, image)
    assert len(studio.model.orders) == len(images)


@pytest.mark.parametrize("per_minute", [1, 6, 20, 39, 600, 1_000_000])
def test_a_burst_and_the_even_spread_together_stay_within_a_minutes_number(per_minute: int) -> None:
    rate = CreateRate(per_minute)
    assert 1 <= rate.burst <= per_minute
    assert rate.burst + 60 / rate.interval.total_seconds() - 1 <= per_minute * 1.01
