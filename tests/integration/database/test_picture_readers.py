"""What a customer's pictures are, as the database has them."""

from typing import Any

import pytest

from application.images.upload_ports import UploadRecord
from domain.users import User
from domain.views import Output, Status, View, ViewError
from infrastructure.database.picture_readers import SqlTryOnReader, SqlUploadReader
from infrastructure.database.readers import SqlProfileReader
from tests.fakes import InMemoryStorage
from tests.integration.database.stage import Stage

NOBODY = 2**63 - 1


async def test_uploads_are_told_with_their_keys(stage: Stage) -> None:
    user = await stage.user()
    upload = await stage.upload(user, width=640, height=480, size=12_345)
    found = await SqlUploadReader(stage.pool).latest(user.id, before=None, limit=5)
    assert found == [UploadRecord(upload.id, upload.key, 640, 480, 12_345, upload.created_at)]


async def test_of_one_photo_the_latest_upload_is_told(stage: Stage) -> None:
    """Of one's own, that is; pages go on where the last one ended, and the export still gets every upload."""
    user, other = await stage.user(), await stage.user()
    reader = SqlUploadReader(stage.pool)
    portrait, selfie = b"p" * 32, b"s" * 32
    ids = [(await stage.upload(user, digest=digest)).id for digest in (portrait, selfie, portrait, b"x" * 32, selfie)]
    await stage.upload(other, digest=portrait)
    found: list[int] = []
    before = None
    while page := await reader.distinct(user.id, before=before, limit=2):
        found += [record.id for record in page]
        before = page[-1].id
    assert found == [ids[4], ids[3], ids[2]]
    assert len(await reader.latest(user.id, before=None, limit=9)) == 5


async def test_a_try_on_is_told_with_its_views_and_where_their_outputs_are(stage: Stage) -> None:
    user, style = await stage.user(), await stage.style(name="Long Bob")
    made = await stage.image(user, View.BACK, style=style)
    async with stage.desk() as desk:
        found = await desk.images.claim(made.front.id)
        assert found is not None
        image, front = found
        now = await desk.uow.now()
        image.claim_submit(front, now, stage.policy)
        assert front.prediction_ended(1, "p1", {"id": "p1"}, now)
        claim = front.claim_finish(now, stage.policy)
        assert claim is not None
        image.complete(front, claim, Output("images/x/front-1.jpg", 640, 800), now)
        image.fail(image.render(View.BACK), ViewError.PROVIDER_TIMEOUT, now)
        await desk.uow.commit()
    (record,) = await SqlTryOnReader(stage.pool).latest(user.id, before=None, limit=5)
    assert (record.id, record.upload_id, record.style) == (made.id, made.upload_id, "Long Bob")
    assert (record.status, record.is_favourite, record.created_at) == (Status.COMPLETED, False, made.created_at)
    assert [(view.view, view.status, view.error, view.key) for view in record.views] == [
        (View.FRONT, Status.COMPLETED, None, "images/x/front-1.jpg"),
        (View.BACK, Status.FAILED, ViewError.PROVIDER_TIMEOUT, None),
    ]
    assert [view.finished_at for view in record.views] == [now, now]
    assert [view.accepted_at for view in record.views] == [made.created_at, made.created_at]


async def test_a_try_on_that_was_deleted_is_not_told(stage: Stage) -> None:
    user = await stage.user()
    kept, deleted = await stage.image(user), await stage.image(user)
    await stage.database.execute("UPDATE images SET deleted_at = now() WHERE id = $1", deleted.id)
    assert [record.id for record in await SqlTryOnReader(stage.pool).latest(user.id, before=None, limit=5)] == [kept.id]


async def add_uploads(stage: Stage, user: User) -> list[int]:
    return [(await stage.upload(user)).id for _ in range(5)]


async def add_try_ons(stage: Stage, user: User) -> list[int]:
    style, upload = await stage.style(), await stage.upload(user)
    return [(await stage.image(user, View.RIGHT, View.LEFT, style=style, upload=upload)).id for _ in range(5)]


@pytest.mark.parametrize(
    ("reader", "add"), [(SqlUploadReader, add_uploads), (SqlTryOnReader, add_try_ons)], ids=["uploads", "try-ons"]
)
async def test_pages_hold_each_of_ones_own_once_newest_first(stage: Stage, reader: Any, add: Any) -> None:
    """Whatever others have, and whatever is added while one reads."""
    user, other = await stage.user(), await stage.user()
    ids = await add(stage, user)
    await add(stage, other)
    read = reader(stage.pool)
    found: list[int] = []
    before = None
    while page := await read.latest(user.id, before=before, limit=2):
        assert len(page) <= 2
        found += [record.id for record in page]
        before = page[-1].id
        if len(found) == 2:
            await add(stage, user)
    assert found == ids[::-1]
    assert await read.latest(user.id, before=0, limit=2) == []
    assert await read.latest(NOBODY, before=None, limit=2) == []


async def test_the_key_of_a_profile_picture(stage: Stage) -> None:
    """None for whoever has no picture, or is not there."""
    reader = SqlProfileReader(stage.pool, InMemoryStorage())
    shown, hidden = await stage.user(profile_picture="pictures/profile/x.jpg"), await stage.user()
    assert await reader.picture(shown.id) == "pictures/profile/x.jpg"
    assert await reader.picture(hidden.id) is None
    assert await reader.picture(NOBODY) is None
