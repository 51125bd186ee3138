"""How try-ons are read: by their owners, and by the worker that looks for something to do."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.events import ViewFinishable, ViewSubmittable
from application.images.ports import GalleryFilter, ImageStatus, RenderOrder
from application.pages import cursor_after, id_in
from domain.images import GeneratedImage
from domain.renders import ViewRender
from domain.users import User
from domain.views import Output, Status, View, ViewError
from infrastructure.database.estimates import SqlEstimates
from infrastructure.database.image_readers import SqlImageReader, SqlRenderReader
from tests.fakes import InMemoryStorage
from tests.integration.database.stage import Stage

STORAGE = InMemoryStorage()
NOBODY = 2**63 - 1


def reader_of(stage: Stage) -> SqlImageReader:
    return SqlImageReader(stage.pool, STORAGE, SqlEstimates(stage.pool, model="a/model"))


async def end(stage: Stage, view_id: int, *, error: ViewError | None = None, after: float = 2) -> None:
    """Complete a view, or fail it, some seconds after it was accepted."""
    async with stage.desk() as desk:
        found = await desk.images.claim(view_id)
        assert found is not None
        image, render = found
        now = await desk.uow.now()
        if error:
            image.fail(render, error, now)
        else:
            image.claim_submit(render, now, stage.policy)
            assert render.prediction_ended(1, f"p{view_id}", {"id": f"p{view_id}"}, now)
            claim = render.claim_finish(now, stage.policy)
            assert claim is not None
            image.complete(render, claim, Output(image.output_key(render), 640, 800), now)
        await desk.uow.commit()
    finished = "UPDATE views SET finished_at = accepted_at + $1 WHERE finished_at IS NOT NULL AND id = $2"
    await stage.database.execute(finished, timedelta(seconds=after), view_id)


async def status(stage: Stage, image: GeneratedImage, user: User) -> ImageStatus:
    found = await reader_of(stage).status(image.id, owner=user.id)
    assert found is not None
    return found


# Owners


async def test_a_new_try_on_waits_in_the_queue(stage: Stage) -> None:
    """Its place counts those before it that no worker has taken to the provider yet."""
    user = await stage.user()
    style, upload = await stage.style(), await stage.upload(user)
    images = [await stage.image(user, style=style, upload=upload) for _ in range(3)]
    shown = await status(stage, images[2], user)
    assert (shown.status, shown.queue_position, shown.time_taken, shown.error) == (Status.PENDING, 3, None, None)
    assert (shown.style_id, shown.style_name, shown.description) == (style.id, style.name, style.description)
    assert shown.input_image_url == await STORAGE.url(upload.key)
    assert shown.output_image_url is None
    await end(stage, images[0].front.id)
    assert (await status(stage, images[2], user)).queue_position == 2


async def test_another_ones_try_on_is_as_absent_as_none(stage: Stage) -> None:
    """And so is a deleted one."""
    user, other = await stage.user(), await stage.user()
    image, deleted = await stage.image(user), await stage.image(user)
    await stage.database.execute("UPDATE images SET deleted_at = now() WHERE id = $1", deleted.id)
    reader = reader_of(stage)
    assert await reader.status(image.id, owner=user.id)
    assert await reader.status(image.id, owner=other.id) is None
    assert await reader.status(deleted.id, owner=user.id) is None
    assert await reader.status(NOBODY, owner=user.id) is None


async def test_a_finished_front_is_shown_while_its_sides_are_under_way(stage: Stage) -> None:
    user = await stage.user()
    image = await stage.image(user, View.RIGHT, View.LEFT, View.BACK)
    await end(stage, image.front.id, after=2.5)
    shown = await status(stage, image, user)
    assert (shown.status, shown.queue_position, shown.time_taken) == (Status.PROCESSING, None, None)
    assert shown.output_image_url == await STORAGE.url(image.output_key(_first_attempt(image.front)))
    assert (shown.right_view_url, shown.left_view_url, shown.back_view_url) == (None, None, None)
    assert [(view.view, view.status, view.time_taken) for view in shown.views] == [
        (View.FRONT, Status.COMPLETED, 2.5),
        (View.RIGHT, Status.PENDING, None),
        (View.LEFT, Status.PENDING, None),
        (View.BACK, Status.PENDING, None),
    ]


def _first_attempt(render: ViewRender) -> ViewRender:
    render.attempt = 1
    return render


async def test_a_complete_try_on_tells_every_address_and_the_time_of_the_last_view(stage: Stage) -> None:
    user = await stage.user()
    image = await stage.image(user, View.RIGHT, View.LEFT, View.BACK)
    for seconds, render in enumerate(image.views, start=2):
        await end(stage, render.id, after=seconds)
    shown = await status(stage, image, user)
    urls = [shown.output_image_url, shown.right_view_url, shown.left_view_url, shown.back_view_url]
    assert urls == [view.url for view in shown.views]
    assert len(set(urls)) == 4
    assert None not in urls
    assert (shown.status, shown.time_taken, shown.error) == (Status.COMPLETED, 5.0, None)


async def test_a_failed_side_is_told_with_its_cause_and_leaves_the_image_complete(stage: Stage) -> None:
    user = await stage.user()
    image = await stage.image(user, View.LEFT)
    await end(stage, image.front.id)
    await end(stage, image.render(View.LEFT).id, error=ViewError.PROVIDER_REJECTED, after=9)
    shown = await status(stage, image, user)
    assert (shown.status, shown.error, shown.time_taken, shown.left_view_url) == (Status.COMPLETED, None, 2.0, None)
    assert (shown.views[1].status, shown.views[1].error) == (Status.FAILED, ViewError.PROVIDER_REJECTED)


async def test_a_failed_front_is_told_in_words(stage: Stage) -> None:
    user = await stage.user()
    image = await stage.image(user, View.LEFT)
    await end(stage, image.front.id, error=ViewError.PROVIDER_BUSY)
    shown = await status(stage, image, user)
    assert shown.status is Status.FAILED
    assert shown.error is not None
    assert (shown.error.code, shown.error.message) == (ViewError.PROVIDER_BUSY, ViewError.PROVIDER_BUSY.message)
    assert [view.error for view in shown.views] == [ViewError.PROVIDER_BUSY, ViewError.FRONT_FAILED]


async def test_a_passing_trouble_is_not_shown_while_the_view_is_open(stage: Stage) -> None:
    user = await stage.user()
    image = await stage.image(user)
    await stage.database.execute("UPDATE views SET status = 'PROCESSING', error = 'provider_busy'")
    await stage.database.execute("UPDATE images SET status = 'PROCESSING'")
    assert (await status(stage, image, user)).views[0].error is None


async def test_a_style_that_was_withdrawn_is_still_named(stage: Stage) -> None:
    user, style = await stage.user(), await stage.style()
    image = await stage.image(user, style=style)
    await stage.database.execute("UPDATE styles SET is_active = false")
    assert (await status(stage, image, user)).style_name == style.name


async def test_the_gallery_is_read_page_by_page_newest_first(stage: Stage) -> None:
    """One's own, without the deleted ones, each with all its views, though more come while one reads."""
    user, other = await stage.user(), await stage.user()
    style, upload = await stage.style(), await stage.upload(user)
    images = [await stage.image(user, *list(View)[1:number], style=style, upload=upload) for number in (1, 4, 2, 3, 1)]
    await stage.image(other, style=style)
    await stage.database.execute("UPDATE images SET deleted_at = now() WHERE id = $1", images[3].id)
    reader = reader_of(stage)
    seen, cursor = [], None
    while page := await reader.gallery(user.id, before=id_in(cursor), limit=2):
        seen += [(item.id, len(item.views)) for item in page]
        cursor = cursor_after(page[-1].id)
        await stage.image(user, style=style, upload=upload)
    assert seen == [(images[4].id, 1), (images[2].id, 2), (images[1].id, 4), (images[0].id, 1)]
    assert await reader.gallery(user.id, before=0, limit=2) == []
    assert await reader.gallery(NOBODY, before=None, limit=2) == []


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (GalleryFilter(), [5, 4, 3, 2, 1, 0]),
        (GalleryFilter(is_favourite=True), [4, 2, 0]),
        (GalleryFilter(is_favourite=False), [5, 3, 1]),
        (GalleryFilter(style_id=1), [5, 4, 3]),
        (GalleryFilter(status=Status.FAILED), [5, 2]),
        (GalleryFilter(status=Status.PENDING), [4, 3, 1, 0]),
        (GalleryFilter(status=Status.CANCELLED), []),
        (GalleryFilter(is_favourite=True, status=Status.PENDING), [4, 0]),
        (GalleryFilter(is_favourite=True, style_id=2, status=Status.FAILED), [2]),
        (GalleryFilter(style_id=NOBODY), []),
    ],
)
async def test_filters_narrow_the_gallery_and_pages_hold_all_that_is_left(
    stage: Stage, only: GalleryFilter, expected: list[int]
) -> None:
    """Each page is full but the last, however many try-ons between do not match; conditions hold together."""
    user, other = await stage.user(), await stage.user()
    upload = await stage.upload(user)
    styles = [await stage.style(), await stage.style()]
    images = [await stage.image(user, View.BACK, style=styles[number < 3], upload=upload) for number in range(6)]
    await stage.image(other, style=styles[0])
    await stage.database.execute(
        "UPDATE images SET is_favourite = id = ANY($1::bigint[]), "
        "status = CASE WHEN id = ANY($2::bigint[]) THEN 'FAILED' ELSE status END",
        [images[number].id for number in (0, 2, 4)],
        [images[number].id for number in (2, 5)],
    )
    if only.style_id in {1, 2}:
        only = replace(only, style_id=styles[only.style_id - 1].id)
    reader = reader_of(stage)
    pages: list[list[int]] = []
    before = None
    while page := await reader.gallery(user.id, before=before, limit=2, only=only):
        assert all(len(item.views) == 2 for item in page)
        pages.append([item.id for item in page])
        before = page[-1].id
    assert [number for page in pages for number in page] == [images[number].id for number in expected]
    assert all(len(page) == 2 for page in pages[:-1])


async def test_a_deleted_try_on_matches_no_filter(stage: Stage) -> None:
    user = await stage.user()
    image = await stage.image(user)
    await stage.database.execute("UPDATE images SET deleted_at = now(), is_favourite = true")
    found = reader_of(stage).gallery(
        user.id, before=None, limit=5, only=GalleryFilter(True, image.style_id, Status.PENDING)
    )
    assert await found == []


async def test_the_gallery_tells_what_the_status_tells(stage: Stage) -> None:
    user = await stage.user()
    image = await stage.image(user, View.BACK)
    await end(stage, image.front.id)
    (item,) = await reader_of(stage).gallery(user.id, before=None, limit=5)
    shown = await status(stage, image, user)
    assert all(getattr(shown, name) == getattr(item, name) for name in item.__struct_fields__)


# Workers


@pytest.mark.parametrize("view", View)
async def test_an_order_has_the_views_own_prompt_and_picture(stage: Stage, view: View) -> None:
    """The photo for the front, the finished front for the sides; the prompts of the version that was accepted."""
    user, style = await stage.user(), await stage.style()
    upload = await stage.upload(user)
    image = await stage.image(user, View.RIGHT, View.LEFT, View.BACK, style=style, upload=upload)
    await end(stage, image.front.id)
    async with stage.desk() as desk:
        edited = await desk.styles.claim(style.slug)
        assert edited is not None
        assert edited.edit_prompts("new", "new", "new", "new")
        await desk.uow.commit()
    picture = upload.key if view is View.FRONT else image.output_key(_first_attempt(image.front))
    order = await SqlRenderReader(stage.pool).order(image.render(view).id)
    assert order == RenderOrder(getattr(style.prompts[0], view), picture)


async def test_there_is_no_order_for_a_view_that_is_not_there(stage: Stage) -> None:
    with pytest.raises(LookupError):
        await SqlRenderReader(stage.pool).order(NOBODY)


async def a_view(stage: Stage, changes: str) -> ViewRender:
    image = await stage.image(await stage.user())
    # Accepted some minutes ago, at the provider, and nothing wrong with it.
    await stage.database.execute(
        "UPDATE views SET status = 'PROCESSING', attempt = 1, prediction_id = 'p', due_at = now() - interval '5 min', "
        "poll_at = now() + interval '1 s', expires_at = now() + interval '1 min'"
    )
    await stage.database.execute(f"UPDATE views SET {changes}")  # noqa: S608 - the tests below
    return image.front


@pytest.mark.parametrize(
    ("changes", "is_overdue"),
    [
        ("attempt = 1", False),
        ("deadline_at = now()", True),
        ("expires_at = now()", True),
        ("poll_at = NULL, expires_at = NULL, prediction_id = NULL, lease_until = now() + interval '9 s'", False),
        ("poll_at = NULL, expires_at = NULL, prediction_id = NULL, lease_until = now()", True),
        ("poll_at = NULL, expires_at = NULL, prediction = '{}', lease_until = now()", True),
        ("poll_at = NULL, expires_at = NULL, prediction_id = NULL", True),
        ("poll_at = NULL, expires_at = NULL, prediction_id = NULL, due_at = now() - interval '50 s'", False),
        ("poll_at = NULL, expires_at = NULL, prediction_id = NULL, due_at = now() + interval '5 min'", False),
        ("deadline_at = now(), status = 'COMPLETED'", False),
        ("deadline_at = now(), status = 'FAILED'", False),
        ("deadline_at = now(), status = 'CANCELLED'", False),
    ],
    ids=[
        "at the provider",
        "past its deadline",
        "past the provider's time",
        "in a worker's hands",
        "its worker died submitting",
        "its worker died storing",
        "forgotten for minutes",
        "announced a moment ago",
        "to be tried again later",
        "completed",
        "failed",
        "cancelled",
    ],
)
async def test_the_sweeper_looks_at_what_nobody_moves_any_more(stage: Stage, changes: str, *, is_overdue: bool) -> None:
    view = await a_view(stage, changes)
    assert await SqlRenderReader(stage.pool).overdue(10) == [view.id] * is_overdue


async def test_sides_that_wait_for_their_front_are_not_overdue(stage: Stage) -> None:
    """Once it is there, they are, if nobody takes them up."""
    image = await stage.image(await stage.user(), View.LEFT)
    await stage.database.execute("UPDATE views SET due_at = now() - interval '5 min' WHERE view = 'left'")
    renders = SqlRenderReader(stage.pool)
    assert await renders.overdue(10) == []
    await stage.database.execute("UPDATE views SET status = 'COMPLETED' WHERE view = 'front'")
    assert await renders.overdue(10) == [image.render(View.LEFT).id]


@pytest.mark.parametrize(
    ("changes", "event", "is_overdue"),
    [
        ("prediction_id = NULL", ViewSubmittable, False),
        ("prediction_id = NULL", ViewFinishable, True),
        ("prediction = '{}'", ViewFinishable, False),
        ("prediction = '{}'", ViewSubmittable, True),
        ("prediction_id = NULL, deadline_at = now()", ViewSubmittable, True),
        ("prediction_id = NULL, lease_until = now()", ViewSubmittable, True),
    ],
)
async def test_what_is_announced_and_not_taken_yet_is_not_overdue(
    stage: Stage, changes: str, event: type[ViewSubmittable | ViewFinishable], *, is_overdue: bool
) -> None:
    """As in a queue of more than a minute. What was announced of another view or step does not count."""
    view = await a_view(stage, f"poll_at = NULL, expires_at = NULL, {changes}")
    async with stage.desk() as desk:
        desk.outbox.add(event(view.id))
        desk.outbox.add(ViewSubmittable(view.id + 1))
        desk.outbox.add(ViewFinishable(view.id + 1))
        await desk.uow.commit()
    renders = SqlRenderReader(stage.pool)
    assert await renders.overdue(10) == [view.id] * is_overdue
    await stage.database.execute("DELETE FROM outbox")
    assert await renders.overdue(10) == [view.id]


@pytest.mark.parametrize(
    ("changes", "is_due"),
    [("poll_at = now()", True), ("poll_at = now() + interval '1 s'", False), ("poll_at = NULL", False)],
)
async def test_predictions_are_looked_at_when_their_time_has_come(stage: Stage, changes: str, *, is_due: bool) -> None:
    view = await a_view(stage, changes)
    assert await SqlRenderReader(stage.pool).due_for_poll(10) == [view.id] * is_due


async def test_the_longest_waiting_come_first_and_no_more_than_asked_for(stage: Stage) -> None:
    user = await stage.user()
    style, upload = await stage.style(), await stage.upload(user)
    images = [await stage.image(user, style=style, upload=upload) for _ in range(5)]
    await stage.database.execute(
        "UPDATE views SET poll_at = now() - id * interval '1 s', due_at = now() - id * interval '1 s', "
        "deadline_at = now()"
    )
    renders = SqlRenderReader(stage.pool)
    longest = [image.front.id for image in images[:1:-1]]
    assert await renders.due_for_poll(3) == longest
    assert await renders.due_for_poll(2, besides=longest[:1]) == longest[1:]
    assert await renders.overdue(3) == longest
