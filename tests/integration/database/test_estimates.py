"""What is known of how long renders take, and of who waits."""

from datetime import timedelta

from application.images.estimates import Pace
from domain.images import GeneratedImage
from domain.users import User
from domain.views import View
from infrastructure.database.estimates import SqlEstimates
from tests.integration.database.stage import Stage

MODEL = "a/model"


async def rendered(stage: Stage, user: User, view: View, seconds: float, *, attempt: int = 1) -> GeneratedImage:
    """A finished try-on whose view took so long: a front since its acceptance, a side since its front."""
    image = await stage.image(user, *([] if view is View.FRONT else [view]))
    await stage.database.execute(
        "UPDATE views SET status = 'COMPLETED', attempt = 1, finished_at = accepted_at + interval '1000 s' "
        "WHERE image_id = $1 AND view = 'front'",
        image.id,
    )
    start = "accepted_at" if view is View.FRONT else "accepted_at + interval '1000 s'"
    await stage.database.execute(
        f"UPDATE views SET status = 'COMPLETED', attempt = $3, finished_at = {start} + $4::interval "  # noqa: S608 - ours
        "WHERE image_id = $1 AND view = $2",
        image.id,
        view,
        attempt,
        timedelta(seconds=seconds),
    )
    return image


async def test_paces_are_of_each_view_by_itself(stage: Stage) -> None:
    """The middle of what it took and what nine of ten did not exceed; a view without a history has none."""
    user = await stage.user()
    for seconds in range(10, 21):
        await rendered(stage, user, View.FRONT, seconds)
    await rendered(stage, user, View.LEFT, 7)
    paces = (await SqlEstimates(stage.pool, model=MODEL).paces()).by_view
    assert paces[View.LEFT] == Pace(7, 7)
    assert set(paces) == {View.FRONT, View.LEFT}
    await stage.database.execute("DELETE FROM views WHERE view = 'left'")
    await stage.database.execute("DELETE FROM views WHERE finished_at - accepted_at > interval '100 s'")
    assert (await SqlEstimates(stage.pool, model=MODEL).paces()).by_view == {View.FRONT: Pace(15, 19)}


async def test_what_was_lent_took_no_time_and_does_not_count(stage: Stage) -> None:
    user = await stage.user()
    await rendered(stage, user, View.FRONT, 10)
    await rendered(stage, user, View.FRONT, 0, attempt=0)
    assert (await SqlEstimates(stage.pool, model=MODEL).paces()).by_view == {View.FRONT: Pace(10, 10)}


async def test_nobody_knows_while_the_provider_is_down(stage: Stage) -> None:
    """From the moment it is known to be away until it is asked again."""
    await rendered(stage, await stage.user(), View.FRONT, 10)
    gate = "INSERT INTO model_gates (model, closed_until) VALUES ($1, now() + interval '1 minute')"
    await stage.database.execute(gate, "another/model")
    assert View.FRONT in (await SqlEstimates(stage.pool, model=MODEL).paces()).by_view
    await stage.database.execute(gate, MODEL)
    assert (await SqlEstimates(stage.pool, model=MODEL).paces()).by_view == {}
    await stage.database.execute("UPDATE model_gates SET closed_until = NULL")
    assert View.FRONT in (await SqlEstimates(stage.pool, model=MODEL).paces()).by_view


async def test_what_is_known_is_asked_for_every_few_seconds(stage: Stage) -> None:
    """However many ask in between."""
    user = await stage.user()
    time = 0.0
    estimates = SqlEstimates(stage.pool, model=MODEL, monotonic=lambda: time)
    assert (await estimates.paces()).by_view == {}
    await rendered(stage, user, View.FRONT, 10)
    time = 2.9
    assert (await estimates.paces()).by_view == {}
    time = 3.0
    assert (await estimates.paces()).by_view == {View.FRONT: Pace(10, 10)}


async def test_a_place_in_a_long_queue_is_not_counted_to_its_end(stage: Stage) -> None:
    """Exact up to a thousand."""
    user = await stage.user()
    first = await stage.image(user)
    await stage.database.execute(
        """
        INSERT INTO views (image_id, view, status, accepted_at, deadline_at, due_at,
            round, attempt, attempts_before, claim, stumbles)
        SELECT $1, 'crowd' || number, 'PENDING', now(), now(), now(), 1, 0, 0, 0, 0
        FROM generate_series(1, 998) AS number
        """,
        first.id,
    )
    estimates = SqlEstimates(stage.pool, model=MODEL)

    async def place(image_id: int) -> int:
        return (await estimates.queue_positions([image_id]))[image_id]

    places = [await place((await stage.image(user)).id) for _ in range(3)]
    assert places == [1000, 1001, 1001]
    assert await place(first.id) == 1
