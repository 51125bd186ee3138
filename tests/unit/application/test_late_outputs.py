"""Outputs that nobody shows: stored by a worker that came too late, or by one that was overtaken by a deadline."""

from datetime import timedelta

import pytest

from application.events import OutputAbandoned, PictureDiscarded, ViewFinishable
from domain.images import GeneratedImage
from domain.views import Status, ViewError
from tests.in_memory import Announced
from tests.unit.application.rendering import WORKER, Studio

MINUTES = timedelta(minutes=5)


async def overtaken(studio: Studio, image: GeneratedImage, by: str) -> None:
    """While a worker stores the output, somebody else moves the view on."""
    put = studio.storage.put

    async def put_slowly(key: str, data: bytes, *, content_type: str = "image/jpeg") -> None:
        await put(key, data, content_type=content_type)
        studio.storage.put = put  # type: ignore[method-assign]
        match by:
            case "cancelled":
                await studio.settlement.settle(image.cancel(studio.uow.time))
            case "finished by another":
                image.front.release(studio.uow.time)
                await studio.finish(ViewFinishable(image.front.id), WORKER)
            case "taken over":
                image.front.claim += 1
            case "tried anew":
                image.front.claim += 1
                image.front.attempt += 1
                image.front.forget_prediction()
            case "erased":
                studio.images.rows.kept.clear()
        await studio.uow.commit()

    studio.storage.put = put_slowly  # type: ignore[method-assign]
    await studio.finish(ViewFinishable(image.front.id), WORKER)


@pytest.mark.parametrize(
    ("by", "stays"),
    [("cancelled", False), ("tried anew", False), ("finished by another", True), ("taken over", True)],
)
async def test_a_late_output_goes_unless_it_is_shown_or_may_be(by: str, stays: bool) -> None:
    """Who took over the same attempt stores the very same file."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    key = image.output_key(image.front)
    await overtaken(studio, image, by)
    late = OutputAbandoned(image.front.id, 1)
    assert studio.outbox.announced[-1] == Announced(late, None)
    for _ in range(2):
        await studio.discard(late, WORKER)
    assert (key in studio.storage.pictures) is stays
    assert not studio.uow.is_open


async def test_a_late_output_of_an_erased_account_goes() -> None:
    """Nobody remembers the view, so that the file itself is named."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    key = image.output_key(image.front)
    await overtaken(studio, image, "erased")
    assert studio.outbox.events[-1] == PictureDiscarded(key)
    await studio.discard(OutputAbandoned(image.front.id, 1), WORKER)


@pytest.mark.parametrize("how", ["failed", "cancelled"])
async def test_a_view_that_ends_while_its_output_may_be_on_its_way_is_looked_after_later(how: str) -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    now = studio.uow.time
    ended = image.fail(image.front, ViewError.INTERNAL_ERROR, now) if how == "failed" else image.cancel(now)
    await studio.settlement.settle(ended)
    await studio.uow.commit()
    abandoned = OutputAbandoned(image.front.id, 1)
    assert Announced(abandoned, now + MINUTES) in studio.outbox.announced
    studio.storage.pictures[image.output_key(image.front)] = b"stored in the meantime"
    await studio.discard(abandoned, WORKER)
    assert list(studio.storage.pictures) == [studio.photo.key]
    assert image.front.status in {Status.FAILED, Status.CANCELLED}


async def test_an_output_of_the_last_round_goes_while_the_next_one_waits() -> None:
    """The attempt is still counted, and nobody is at it."""
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_render()
    key = image.output_key(image.front)
    await studio.settlement.settle(image.fail(image.front, ViewError.INTERNAL_ERROR, studio.uow.time))
    image.retry(studio.uow.time, studio.submit.policy)
    await studio.uow.commit()
    studio.storage.pictures[key] = b"stored in the meantime"
    await studio.discard(OutputAbandoned(image.front.id, 1), WORKER)
    assert key not in studio.storage.pictures


async def test_a_view_that_ends_before_its_prediction_has_no_output() -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_submit()
    await studio.settlement.settle(image.cancel(studio.uow.time))
    await studio.uow.commit()
    assert not [event for event in studio.outbox.events if isinstance(event, OutputAbandoned)]
