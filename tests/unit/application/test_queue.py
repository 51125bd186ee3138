"""What operators see of what is to be done, and how they end all of it."""

import pytest
from msgspec.structs import replace

from application.actor import Actor
from application.events import ViewFinishable
from application.queue.fail_open_images import FailOpenImages, FailOpenImagesHandler
from application.queue.ports import Backlog, BacklogReader, Bell
from application.queue.show_queue import ShowQueue, ShowQueueHandler
from domain.credits import HoldStatus
from domain.errors import Forbidden, Invalid
from domain.views import Status, View, ViewError
from tests.in_memory import InMemoryAuditLog
from tests.unit.application.rendering import CUSTOMER, WORKER, Studio

ROOT, ADA = Actor.operator("root"), Actor.user(CUSTOMER, session_id=1)
NOTHING = Backlog(
    views_pending=0,
    views_processing=0,
    views_without_prediction=0,
    predictions_in_flight=0,
    outputs_to_store=0,
    views_overdue=0,
    views_of_last_hour={},
    outbox_due=0,
    outbox_scheduled=0,
    outbox_oldest_seconds=None,
    gate_closed_until=None,
    gate_reason=None,
)


class StudioBacklog(BacklogReader, Bell):
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def backlog(self) -> Backlog:
        views = [render for image in self._studio.images.rows.kept.values() for render in image.views]
        return replace(NOTHING, views_pending=sum(render.status is Status.PENDING for render in views))

    async def open_images(self, *, after: int, limit: int) -> list[int]:
        kept = self._studio.images.rows.kept
        return [image_id for image_id in kept if image_id > after and any(view.open for view in kept[image_id].views)][
            :limit
        ]

    async def answers(self) -> bool:
        return False


async def test_the_queue_is_shown_also_while_redis_is_away() -> None:
    studio = await Studio.with_credits(1)
    await studio.accept()
    backlog = StudioBacklog(studio)
    show = ShowQueueHandler(backlogs=backlog, bell=backlog)
    found = await show(ShowQueue(), ROOT)
    assert (found.backlog.views_pending, found.bell_answers) == (1, False)
    with pytest.raises(Forbidden):
        await show(ShowQueue(), ADA)


@pytest.mark.parametrize(
    ("changes", "is_empty"),
    [
        ({}, True),
        ({"outbox_scheduled": 3}, True),
        ({"views_pending": 1}, False),
        ({"views_processing": 1}, False),
        ({"outbox_due": 1}, False),
    ],
)
def test_what_was_announced_for_later_is_nothing_to_wait_for(changes: dict[str, int], is_empty: bool) -> None:
    assert replace(NOTHING, **changes).is_empty is is_empty


async def test_everything_in_progress_is_failed_and_given_back() -> None:
    """Whether it waits or is rendered; what has ended stays. Each try-on is noted by itself."""
    studio = await Studio.with_credits(6)
    finished = await studio.accept_and_render(View.LEFT)
    await studio.finish(ViewFinishable(finished.front.id), WORKER)
    waiting, rendered = await studio.accept(View.BACK), await studio.accept_and_submit()
    audit, backlog = InMemoryAuditLog(studio.uow), StudioBacklog(studio)
    fail = FailOpenImagesHandler(
        backlogs=backlog, images=studio.images, settlement=studio.settlement, audit=audit, uow=studio.uow
    )
    for actor in (ADA, WORKER):
        with pytest.raises(Forbidden):
            await fail(FailOpenImages("x"), actor)
    with pytest.raises(Invalid):
        await fail(FailOpenImages(" "), ROOT)
    ended = await fail(FailOpenImages("the database moves"), ROOT)
    assert (ended.images, ended.views) == (3, 4)
    assert (finished.front.status, finished.render(View.LEFT).error) == (Status.COMPLETED, ViewError.INTERNAL_ERROR)
    for image in (waiting, rendered):
        assert image.status is Status.FAILED
        assert {studio.accounts.hold_of(render) for render in image.views} == {HoldStatus.VOIDED}
    assert [(note.action, note.subject, note.reason) for note in audit.kept] == [
        ("queue.drain", f"image:{image.id}", "the database moves") for image in (finished, waiting, rendered)
    ]
    assert (await studio.accounts.balance(CUSTOMER)).credits_available == 5
    again = await fail(FailOpenImages("once more"), ROOT)
    assert (again.images, again.views) == (0, 0)
