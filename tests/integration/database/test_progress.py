"""The log of a try-on: every change of a status, told by the transaction that makes it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.images import GeneratedImage
from domain.views import Output, Status, View, ViewError
from infrastructure.database.estimates import SqlEstimates
from infrastructure.database.progress_log import LogGrown
from infrastructure.database.progress_reader import SqlProgressReader
from tests.fakes import InMemoryStorage
from tests.integration.database.stage import Desk, Stage

Entry = tuple[int, str | None, str]


async def log_of(stage: Stage, image: GeneratedImage) -> list[Entry]:
    rows = await stage.database.fetch("SELECT * FROM image_events WHERE image_id = $1 ORDER BY id", image.id)
    return [(row["id"], row["view"], row["status"]) for row in rows]


def reader(stage: Stage) -> SqlProgressReader:
    return SqlProgressReader(stage.pool, InMemoryStorage(), SqlEstimates(stage.pool, model="a/model"))


async def change(stage: Stage, image: GeneratedImage, how: Any) -> Desk:
    """Load, decide, commit: as handlers do."""
    async with stage.desk() as desk:
        loaded = await desk.images.by_id(image.id)
        assert loaded is not None
        how(loaded, await desk.uow.now())
        await desk.uow.commit()
        return desk


def end(image: GeneratedImage, view: View, now: Any, stage: Stage) -> None:
    """Render a view without the provider, from wherever it stands."""
    render = image.render(view)
    claim = image.claim_submit(render, now, stage.policy)
    image.complete(render, claim, Output(f"{view}.jpg", 512, 512), now)


async def test_a_new_try_on_begins_its_log(stage: Stage) -> None:
    """Its views first, then the try-on, from 1 on."""
    image = await stage.image(await stage.user(), View.RIGHT)
    assert await log_of(stage, image) == [(1, "front", "PENDING"), (2, "right", "PENDING"), (3, None, "PENDING")]


async def test_every_change_of_a_status_is_told_once(stage: Stage) -> None:
    """From waiting to the end, over a failure, a retry, an addition and a cancellation; the try-on's own come last."""
    image = await stage.image(await stage.user(), View.RIGHT)
    policy = stage.policy

    def claim(loaded: GeneratedImage, now: Any) -> None:
        loaded.claim_submit(loaded.front, now, policy)

    def complete(loaded: GeneratedImage, now: Any) -> None:
        loaded.complete(loaded.front, loaded.front.claim, Output("front.jpg", 512, 512), now)

    await change(stage, image, claim)
    await change(stage, image, complete)
    await change(
        stage, image, lambda loaded, now: loaded.fail(loaded.render(View.RIGHT), ViewError.PROVIDER_REJECTED, now)
    )
    await change(stage, image, lambda loaded, now: loaded.retry(now, policy))
    await change(stage, image, lambda loaded, now: loaded.cancel(now))
    await change(stage, image, lambda loaded, now: loaded.add_views((View.RIGHT, View.BACK), now, policy))
    await change(stage, image, lambda loaded, now: loaded.delete(now))
    assert await log_of(stage, image) == [
        (1, "front", "PENDING"),
        (2, "right", "PENDING"),
        (3, None, "PENDING"),
        (4, "front", "PROCESSING"),
        (5, None, "PROCESSING"),
        (6, "front", "COMPLETED"),
        (7, "right", "FAILED"),
        (8, None, "COMPLETED"),
        (9, "right", "PENDING"),
        (10, None, "PROCESSING"),
        (11, "right", "CANCELLED"),
        (12, None, "COMPLETED"),
        *await _either_order(stage, image, 13),
        (15, None, "PROCESSING"),
        *await _either_order(stage, image, 16),
        (18, None, "COMPLETED"),
    ]
    causes = await stage.database.fetch("SELECT id, error FROM image_events WHERE error IS NOT NULL")
    assert [tuple(row) for row in causes] == [(7, "provider_rejected")]


async def _either_order(stage: Stage, image: GeneratedImage, first: int) -> list[Entry]:
    """Two views that change together stand side by side; which is first does not matter."""
    pair = (await log_of(stage, image))[first - 1 : first + 1]
    assert {view for _, view, _ in pair} == {"right", "back"}
    return pair


async def test_another_attempt_is_no_news(stage: Stage) -> None:
    """An attempt that failed and is tried anew changes no status."""
    image = await stage.image(await stage.user())
    await change(stage, image, lambda loaded, now: loaded.claim_submit(loaded.front, now, stage.policy))
    before = await log_of(stage, image)

    def fail_attempt(loaded: GeneratedImage, now: Any) -> None:
        front = loaded.front
        loaded.attempt_failed(front, front.claim, ViewError.PROVIDER_BUSY, now, now, stage.policy)

    await change(stage, image, fail_attempt)
    assert await log_of(stage, image) == before


@pytest.mark.parametrize("how", ["rollback", "no commit"])
async def test_what_is_not_committed_is_not_told(stage: Stage, how: str) -> None:
    """Neither when a handler rolls back, though it has flushed and goes on with something else, nor when it breaks."""
    user = await stage.user()
    image = await stage.image(user)
    before = await log_of(stage, image)
    async with stage.desk() as desk:
        loaded = await desk.images.by_id(image.id)
        assert loaded is not None
        loaded.cancel(await desk.uow.now())
        await desk.uow.flush()
        if how == "rollback":
            await desk.uow.rollback()
            await desk.uow.commit()
    assert await log_of(stage, image) == before
    assert desk.progress_bell.told == []


async def test_a_change_that_was_flushed_early_is_told_with_the_commit(stage: Stage) -> None:
    """Two flushes in one transaction, two changes: both are told, and the try-on's own once, as it stands."""
    image = await stage.image(await stage.user())
    async with stage.desk() as desk:
        loaded = await desk.images.by_id(image.id)
        assert loaded is not None
        now = await desk.uow.now()
        claim = loaded.claim_submit(loaded.front, now, stage.policy)
        await desk.uow.flush()
        loaded.complete(loaded.front, claim, Output("front.jpg", 512, 512), now)
        await desk.uow.commit()
    assert (await log_of(stage, image))[2:] == [
        (3, "front", "PROCESSING"),
        (4, "front", "COMPLETED"),
        (5, None, "COMPLETED"),
    ]


async def test_views_that_end_at_once_leave_no_gap(stage: Stage) -> None:
    """Three workers finish three sides side by side: each event has its own number, and none is missing."""
    image = await stage.image(await stage.user(), View.RIGHT, View.LEFT, View.BACK)
    await change(stage, image, lambda loaded, now: end(loaded, View.FRONT, now, stage))

    async def finish(view: View) -> None:
        await change(stage, image, lambda loaded, now: end(loaded, view, now, stage))

    await asyncio.gather(*(finish(view) for view in (View.RIGHT, View.LEFT, View.BACK)))
    log = await log_of(stage, image)
    assert [number for number, _, _ in log] == list(range(1, len(log) + 1))
    assert log[-1][1:] == (None, "COMPLETED")
    assert {view for _, view, status in log if status == "COMPLETED" and view} == set(View)


async def test_the_bell_tells_whose_and_how_far_and_no_more(stage: Stage) -> None:
    """One ring for each try-on of a transaction, after its commit."""
    user = await stage.user()
    image = await stage.image(user, View.LEFT)
    desk = await change(stage, image, lambda loaded, now: loaded.cancel(now))
    assert desk.progress_bell.told == [LogGrown(user.id, image.id)]


async def test_a_log_is_read_from_where_one_stopped(stage: Stage) -> None:
    """Only what came after; a finished view has an address, and so has the try-on when it is complete."""
    user = await stage.user()
    image = await stage.image(user)
    await change(stage, image, lambda loaded, now: end(loaded, View.FRONT, now, stage))
    log = await reader(stage).of_image(image.id, owner=user.id, after=2)
    assert log is not None
    assert log.ended
    assert [(event.id, event.event, event.data.status, event.data.url) for event in log.events] == [
        (3, "view", Status.COMPLETED, "https://pictures.test/front.jpg"),
        (4, "image", Status.COMPLETED, "https://pictures.test/front.jpg"),
    ]
    again = await reader(stage).of_image(image.id, owner=user.id, after=4)
    assert again is not None
    assert (again.events, again.ended) == ([], True)


async def test_a_log_is_its_owners_while_it_is_there(stage: Stage) -> None:
    """Neither a stranger nor, once the try-on is deleted, the owner reads it."""
    user, stranger = await stage.user(), await stage.user()
    image = await stage.image(user)
    assert await reader(stage).of_image(image.id, owner=stranger.id, after=0) is None
    await change(stage, image, lambda loaded, now: loaded.delete(now))
    assert await reader(stage).of_image(image.id, owner=user.id, after=0) is None
    assert await reader(stage).latest(user.id) == {}


async def test_all_logs_of_a_customer_are_read_from_where_one_stopped(stage: Stage) -> None:
    """What was seen is not told again, a try-on that is new is told from its beginning, and others' not at all."""
    user, stranger = await stage.user(), await stage.user()
    known, new = await stage.image(user), None
    await stage.image(stranger)
    seen = await reader(stage).latest(user.id)
    assert seen == {known.id: 2}
    new = await stage.image(user)
    await change(stage, known, lambda loaded, now: loaded.cancel(now))
    told = await reader(stage).of_owner(user.id, seen=seen, only=None)
    assert [(event.data.image_id, event.id) for event in told] == [
        (known.id, 3),
        (known.id, 4),
        (new.id, 1),
        (new.id, 2),
    ]
    assert [event.id for event in await reader(stage).of_owner(user.id, seen=seen, only=[known.id])] == [3, 4]
    stranger_sees = await reader(stage).of_owner(stranger.id, seen={}, only=[known.id])
    assert stranger_sees == []


async def test_events_of_an_open_try_on_say_what_is_ahead(stage: Stage) -> None:
    """Its place in the queue, and the seconds to go by what others took; an ended one has nothing ahead."""
    user = await stage.user()
    first = await stage.image(user)
    await change(stage, first, lambda loaded, now: end(loaded, View.FRONT, now, stage))
    await stage.database.execute(
        "UPDATE views SET accepted_at = finished_at - $1::interval WHERE status = 'COMPLETED'", timedelta(seconds=40)
    )
    await stage.image(user)
    last = await stage.image(user)
    log = await reader(stage).of_image(last.id, owner=user.id, after=1)
    assert log is not None
    (told,) = log.events
    assert told.data.queue_position == 2
    assert told.data.eta_seconds is not None
    assert 30 < told.data.eta_seconds <= 40
    ended = await reader(stage).of_image(first.id, owner=user.id, after=0)
    assert ended is not None
    assert {(event.data.queue_position, event.data.eta_seconds) for event in ended.events} == {(None, None)}
