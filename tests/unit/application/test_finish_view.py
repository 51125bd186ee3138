from datetime import timedelta

import pytest

from application.events import ViewFinishable, ViewSubmittable
from application.images.finish_view import first_address
from application.images.ports import BadOutput, OutputUnavailable
from domain.credits import HoldStatus
from domain.views import Status, View, ViewError
from tests.fakes import OUTPUT
from tests.unit.application.rendering import BROKEN, CUSTOMER, WORKER, Studio
from tests.unit.factories import NOW, POLICY


async def test_a_rendered_picture_is_stored_and_charged() -> None:
    """In our own encoding, under the attempt's own key, before the transaction that says so."""
    studio = await Studio.with_credits(2)
    image = await studio.accept_and_render()
    commits = studio.uow.commits
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert (image.status, image.front.output_key) == (Status.COMPLETED, image.output_key(image.front))
    assert studio.storage.pictures[image.output_key(image.front)] == b"normalised a rendered picture"
    assert studio.accounts.hold_of(image.front) is HoldStatus.POSTED
    balance = await studio.accounts.balance(CUSTOMER)
    assert (balance.credits, balance.credits_held, balance.credits_available) == (1, 0, 1)
    assert studio.uow.commits == commits + 2
    assert studio.leases.kept == set()


async def test_a_finished_front_announces_its_sides() -> None:
    studio = await Studio.with_credits(3)
    image = await studio.accept_and_render(View.RIGHT, View.BACK)
    before = len(studio.outbox.events)
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    sides = [image.render(View.RIGHT), image.render(View.BACK)]
    assert studio.outbox.events[before:] == [ViewSubmittable(side.id) for side in sides]


async def test_a_job_that_is_delivered_twice_charges_once() -> None:
    studio = await Studio.with_credits(2)
    image = await studio.accept_and_render()
    for _ in range(2):
        await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert (await studio.accounts.balance(CUSTOMER)).credits == 1
    assert studio.downloads.fetched == [OUTPUT]


async def test_a_job_that_comes_too_early_or_for_nothing_does_nothing() -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_submit()
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    await studio.finish(ViewFinishable(99), WORKER)
    assert (image.front.status, studio.downloads.fetched) == (Status.PROCESSING, [])


@pytest.mark.parametrize("status", ["failed", "canceled", "aborted"])
async def test_a_prediction_without_a_picture_is_ordered_anew(status: str) -> None:
    """After a while, as another attempt; the credit stays reserved."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render(status=status)
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert (image.front.status, image.front.error) == (Status.PROCESSING, ViewError.PROVIDER_UNAVAILABLE)
    announced = studio.outbox.announced[-1]
    assert (announced.event, announced.not_before) == (ViewSubmittable(image.front.id), image.front.due_at)
    assert image.front.due_at > NOW
    studio.uow.time = image.front.due_at
    await studio.submit(ViewSubmittable(image.front.id), WORKER)
    assert (image.front.attempt, len(studio.model.orders)) == (2, 2)


@pytest.mark.parametrize(
    "reason",
    [
        "The input or output was flagged as sensitive. Please try again with different inputs. (E005) (k2ls)",
        "Error: flagged as sensitive",
        "failed (E005)",
    ],
)
async def test_a_photo_that_the_content_filter_refuses_is_not_tried_again(reason: str) -> None:
    """FAILED at once, and the credit is back."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_submit()
    assert image.front.prediction_id is not None
    studio.model.finish(image.front.prediction_id, status="failed", output=None, error=reason)
    await studio.tell(image.front)
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert (image.front.status, image.front.error) == (Status.FAILED, ViewError.PROVIDER_REJECTED)
    assert studio.accounts.hold_of(image.front) is HoldStatus.VOIDED
    assert (await studio.accounts.balance(CUSTOMER)).credits_available == 1


@pytest.mark.parametrize("output", [None, [], {}, {"url": OUTPUT}, 7, [7], [None], [[OUTPUT]]])
async def test_an_output_that_names_no_address_fails_the_view(output: object) -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_submit()
    assert image.front.prediction_id is not None
    studio.model.finish(image.front.prediction_id, output=output)
    await studio.tell(image.front)
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert (image.front.status, image.front.error) == (Status.FAILED, ViewError.PROVIDER_BAD_OUTPUT)
    assert (len(studio.model.orders), studio.downloads.fetched) == (1, [])


@pytest.mark.parametrize("output", [OUTPUT, [OUTPUT], [OUTPUT, "https://provider.test/second.jpg"]])
def test_of_several_addresses_the_first_counts(output: object) -> None:
    assert first_address(output) == OUTPUT


@pytest.mark.parametrize("is_undecodable", [False, True])
async def test_an_output_that_is_no_picture_fails_the_view_at_once(is_undecodable: bool) -> None:
    """It would be none the next time, and another render may be billed."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    if is_undecodable:
        studio.downloads.picture = BROKEN
    else:
        studio.downloads.troubles = [BadOutput("a web page")]
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert (image.front.status, image.front.error) == (Status.FAILED, ViewError.PROVIDER_BAD_OUTPUT)
    assert image.output_key(image.front) not in studio.storage.pictures
    assert (await studio.accounts.balance(CUSTOMER)).credits_available == 1


async def test_an_output_that_cannot_be_fetched_is_come_back_for_three_times() -> None:
    """The same prediction each time; then the view fails."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    studio.downloads.troubles = [OutputUnavailable("connection reset") for _ in range(9)]
    waits = []
    while image.front.open:
        asked_at = studio.uow.time = max(studio.uow.time, image.front.due_at)
        await studio.finish(ViewFinishable(image.front.id), WORKER)
        waits.append((image.front.due_at - asked_at).total_seconds())
    assert len(studio.downloads.fetched) == 4
    assert waits[0] < waits[1] < waits[2]
    assert image.front.error is ViewError.PROVIDER_BAD_OUTPUT
    assert len(studio.model.orders) == 1


async def test_a_storage_that_is_away_costs_time_and_no_second_prediction() -> None:
    """It is come back to until the deadline; COMPLETED when it is there again."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    studio.storage.is_away = True
    for _ in range(10):
        studio.uow.time = image.front.due_at
        await studio.finish(ViewFinishable(image.front.id), WORKER)
        assert (image.front.status, image.front.error) == (Status.PROCESSING, ViewError.STORAGE_UNAVAILABLE)
        assert studio.outbox.announced[-1].event == ViewFinishable(image.front.id)
        assert studio.outbox.announced[-1].not_before == image.front.due_at
    assert image.front.due_at < NOW + POLICY.deadline
    studio.storage.is_away = False
    studio.uow.time = image.front.due_at
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert (image.front.status, image.front.error) == (Status.COMPLETED, None)
    assert len(studio.model.orders) == 1


async def test_a_worker_that_was_thought_dead_charges_nothing() -> None:
    """Another stored the picture while the first was still at it; the first one's late word is refused."""
    studio = await Studio.with_credits(2)
    image = await studio.accept_and_render()
    fetch = studio.downloads.fetch

    async def sleep_through_the_lease(url: str) -> bytes:
        studio.downloads.fetch = fetch  # type: ignore[method-assign]
        studio.uow.time += POLICY.lease
        await studio.finish(ViewFinishable(image.front.id), WORKER)
        return await fetch(url)

    studio.downloads.fetch = sleep_through_the_lease  # type: ignore[method-assign]
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert image.front.finished_at == NOW + POLICY.lease
    assert (await studio.accounts.balance(CUSTOMER)).credits == 1


async def test_a_view_that_ended_meanwhile_is_left_as_it_ended() -> None:
    """The sweeper failed it at its deadline while the picture was on its way: the credit is back and stays so."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    fetch = studio.downloads.fetch

    async def too_slow(url: str) -> bytes:
        studio.uow.time = NOW + POLICY.deadline + timedelta(seconds=1)
        await studio.settlement.settle(image.expire(image.front, studio.uow.time, POLICY))
        await studio.uow.commit()
        return await fetch(url)

    studio.downloads.fetch = too_slow  # type: ignore[method-assign]
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    assert image.front.status is Status.FAILED
    assert (await studio.accounts.balance(CUSTOMER)).credits_available == 1
