"""How operators read try-ons."""

from collections.abc import Callable

import pytest

from application.images.image_records import ImageFilter
from domain.credits import HoldStatus
from domain.users import User
from domain.views import Status, View, ViewError
from infrastructure.database.image_records import SqlImageRecords
from tests.fakes import InMemoryStorage
from tests.integration.database.stage import Stage

STORAGE = InMemoryStorage()


async def ended(stage: Stage, user: User, error: ViewError | None) -> int:
    """A try-on that was cancelled, or failed for this reason."""
    image = await stage.image(user, View.LEFT, held=True)
    async with stage.desk() as desk:
        kept = await desk.images.by_id(image.id)
        assert kept is not None
        now = await desk.uow.now()
        change = kept.fail(kept.front, error, now) if error else kept.cancel(now)
        for render in change.ended:
            await desk.holds.void(render)
        await desk.uow.commit()
    return image.id


async def test_try_ons_of_everybody_are_read_page_by_page(stage: Stage) -> None:
    """Newest first, each with whose it is, and with how each view stands."""
    ada, bob = await stage.user(credits_=4, email="ada@example.com"), await stage.user(credits_=2)
    first = await ended(stage, ada, ViewError.PROVIDER_BUSY)
    second = (await stage.image(bob, held=True)).id
    reader = SqlImageRecords(stage.pool, STORAGE)
    (newest,) = await reader.images(before=None, limit=1, only=ImageFilter())
    assert (newest.id, newest.user_id, newest.email, newest.status) == (second, bob.id, bob.email, Status.PENDING)
    (older,) = await reader.images(before=newest.id, limit=5, only=ImageFilter())
    assert [(view.view, view.status, view.error) for view in older.views] == [
        (View.FRONT, Status.FAILED, ViewError.PROVIDER_BUSY),
        (View.LEFT, Status.FAILED, ViewError.FRONT_FAILED),
    ]
    assert older.id == first


@pytest.mark.parametrize(
    ("of", "found"),
    [
        (lambda ada, _style: ImageFilter(user_id=ada), [2, 0]),
        (lambda _ada, style: ImageFilter(style_id=style), [1]),
        (lambda _ada, _style: ImageFilter(status=Status.FAILED), [0]),
        (lambda ada, _style: ImageFilter(user_id=ada, status=Status.CANCELLED), [2]),
        (lambda _ada, _style: ImageFilter(is_deleted=True), [3]),
        (lambda _ada, _style: ImageFilter(user_id=999), []),
    ],
)
async def test_try_ons_are_found_by_owner_style_and_status(
    stage: Stage, of: Callable[[int, int], ImageFilter], found: list[int]
) -> None:
    """Deleted ones only when they are asked for."""
    ada, bob, style = await stage.user(credits_=9), await stage.user(credits_=9), await stage.style()
    images = [
        await ended(stage, ada, ViewError.PROVIDER_BUSY),
        (await stage.image(bob, style=style)).id,
        await ended(stage, ada, None),
        (await stage.image(ada)).id,
    ]
    await stage.database.execute("UPDATE images SET deleted_at = now() WHERE id = $1", images[3])
    listed = await SqlImageRecords(stage.pool, STORAGE).images(before=None, limit=9, only=of(ada.id, style.id))
    assert [image.id for image in listed] == [images[number] for number in found]


async def test_a_try_on_is_shown_with_its_attempts_holds_and_log(stage: Stage) -> None:
    user = await stage.user(credits_=2)
    image_id = await ended(stage, user, ViewError.PROVIDER_TIMEOUT)
    await stage.database.execute(
        """
        UPDATE views SET prediction_id = 'p1', attempt = 2, output_key = 'x.jpg' WHERE image_id = $1 AND view = 'left'
        """,
        image_id,
    )
    shown = await SqlImageRecords(stage.pool, STORAGE).image(image_id)
    assert shown is not None
    assert (shown.user_id, shown.email, shown.prompt_version, shown.is_favourite) == (user.id, user.email, 1, False)
    front, left = shown.views
    assert (front.error, front.hold, front.prediction_id) == (ViewError.PROVIDER_TIMEOUT, HoldStatus.VOIDED, None)
    assert (left.prediction_id, left.attempt, left.output_url) == ("p1", 2, await STORAGE.url("x.jpg"))
    assert front.finished_at is not None
    assert front.deadline_at - front.accepted_at == stage.policy.deadline
    assert (shown.log[0].view, shown.log[0].status) in {(View.FRONT, Status.PENDING), (None, Status.PENDING)}
    assert (shown.log[-1].view, shown.log[-1].status) == (None, Status.FAILED)
    assert shown.input_image_url is not None


async def test_a_try_on_whose_photo_has_left_and_one_that_never_was(stage: Stage) -> None:
    user = await stage.user()
    image = await stage.image(user)
    await stage.database.execute("UPDATE images SET deleted_at = now(), upload_id = NULL")
    reader = SqlImageRecords(stage.pool, STORAGE)
    shown = await reader.image(image.id)
    assert shown is not None
    assert (shown.input_image_url, shown.deleted_at is None, shown.views[0].hold) == (None, False, None)
    assert await reader.image(999) is None
