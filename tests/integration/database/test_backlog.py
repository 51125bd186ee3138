"""How operators read what is to be done."""

from datetime import timedelta

from application.events import ViewSubmittable
from domain.views import Status, View
from infrastructure.database.backlog import SqlBacklog
from tests.integration.database.stage import Stage

MODEL = "bytedance/seedream-4"


async def test_views_are_counted_by_what_they_wait_for(stage: Stage) -> None:
    user = await stage.user(credits_=9)
    image = await stage.image(user, View.RIGHT, View.LEFT, View.BACK, held=True)
    ended = await stage.image(user, held=True)
    async with stage.desk() as desk:
        kept = await desk.images.by_id(ended.id)
        assert kept is not None
        kept.cancel(await desk.uow.now())
        await desk.uow.commit()
    change = (
        "UPDATE views SET status = 'PROCESSING', prediction_id = 'p', prediction = $3 WHERE image_id = $1 AND view = $2"
    )
    await stage.database.execute(change, image.id, "front", None)
    await stage.database.execute(change, image.id, "left", "{}")
    await stage.database.execute("UPDATE views SET deadline_at = now() WHERE view = 'back'")
    found = await SqlBacklog(stage.pool, model=MODEL).backlog()
    assert (found.views_pending, found.views_processing, found.views_overdue) == (2, 2, 1)
    assert (found.views_without_prediction, found.predictions_in_flight, found.outputs_to_store) == (2, 1, 1)
    assert found.views_of_last_hour == {
        Status.PENDING: 2,
        Status.PROCESSING: 2,
        Status.CANCELLED: 1,
        Status.COMPLETED: 0,
        Status.FAILED: 0,
    }
    assert not found.is_empty


async def test_only_the_last_hour_counts_for_how_it_goes_now(stage: Stage) -> None:
    image = await stage.image(await stage.user())
    await stage.database.execute("UPDATE views SET status = 'FAILED', accepted_at = now() - interval '61 minutes'")
    assert image.id
    assert set((await SqlBacklog(stage.pool, model=MODEL).backlog()).views_of_last_hour.values()) == {0}


async def test_what_is_announced_is_due_until_it_is_done_or_for_later(stage: Stage) -> None:
    """A row that was tried and is to be tried again is not done; one for in a while waits for its time."""
    reader = SqlBacklog(stage.pool, model=MODEL)
    assert (await reader.backlog()).is_empty
    async with stage.desk() as desk:
        desk.outbox.add(ViewSubmittable(1))
        desk.outbox.add(ViewSubmittable(2), not_before=await desk.uow.now() + timedelta(minutes=5))
        desk.outbox.add(ViewSubmittable(3), not_before=await desk.uow.now() + timedelta(seconds=4))
        await desk.uow.commit()
    found = await reader.backlog()
    assert (found.outbox_due, found.outbox_scheduled, found.is_empty) == (1, 2, False)
    await stage.database.execute("DELETE FROM outbox WHERE payload->>'view_id' = '3'")
    assert found.outbox_oldest_seconds is not None
    await stage.database.execute(
        """
        UPDATE outbox SET due_at = now() + interval '16 minutes', deliveries = 6, created_at = now() - interval '1 hour'
        WHERE payload->>'view_id' = '1'
        """
    )
    tried = await reader.backlog()
    assert (tried.outbox_due, tried.outbox_scheduled) == (1, 1)
    assert tried.outbox_oldest_seconds is not None
    assert tried.outbox_oldest_seconds >= 3600
    await stage.database.execute("DELETE FROM outbox WHERE deliveries > 0")
    left = await reader.backlog()
    assert (left.outbox_due, left.outbox_oldest_seconds, left.is_empty) == (0, None, True)


async def test_a_closed_gate_is_told_with_its_reason(stage: Stage) -> None:
    """Of the model that is in use, and of no other."""
    for model, reason in ((MODEL, "provider_credit_exhausted"), ("another/model", None)):
        await stage.database.execute(
            "INSERT INTO model_gates (model, closed_until, reason) VALUES ($1, now(), $2)", model, reason
        )
    found = await SqlBacklog(stage.pool, model=MODEL).backlog()
    assert (found.gate_closed_until is not None, found.gate_reason) == (True, "provider_credit_exhausted")
    await stage.database.execute("UPDATE model_gates SET closed_until = NULL, reason = NULL")
    found = await SqlBacklog(stage.pool, model=MODEL).backlog()
    assert (found.gate_closed_until, found.gate_reason) == (None, None)


async def test_open_try_ons_are_found_in_their_order(stage: Stage) -> None:
    """Each once, however many of its views are open; those that have ended are none."""
    user = await stage.user()
    ended, *images = [await stage.image(user, View.LEFT) for _ in range(4)]
    await stage.database.execute("UPDATE views SET status = 'CANCELLED' WHERE image_id = $1", ended.id)
    reader = SqlBacklog(stage.pool, model=MODEL)
    first = await reader.open_images(after=0, limit=2)
    rest = await reader.open_images(after=first[-1], limit=2)
    assert [*first, *rest] == [image.id for image in images]
