"""What customers do with their try-ons in the gallery: mark them, delete them; and what becomes of the pictures."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from application.actor import Actor, Client
from application.events import ImageDeleted, PictureDiscarded, PredictionAbandoned, ViewFinishable
from application.images.delete_image import DeleteImage
from application.images.mark_favourite import MarkFavourite
from domain.credits import HoldStatus
from domain.errors import NotFound, Unauthenticated, Unavailable
from domain.identifiers import LARGEST_ID
from domain.images import GeneratedImage
from domain.views import Status, View
from tests.in_memory import Announced
from tests.unit.application.rendering import CUSTOMER, WORKER, Studio

OWNER, STRANGER, VISITOR = Actor.user(CUSTOMER, session_id=1), Actor.user(8, session_id=2), Actor.anonymous(Client())

Deed = Callable[[Studio, int, Actor], Awaitable[None]]
DEEDS: dict[str, Deed] = {
    "mark": lambda studio, image_id, actor: studio.favourite(MarkFavourite(image_id, is_favourite=True), actor),
    "unmark": lambda studio, image_id, actor: studio.favourite(MarkFavourite(image_id, is_favourite=False), actor),
    "delete": lambda studio, image_id, actor: studio.delete(DeleteImage(image_id), actor),
}
each_deed = pytest.mark.parametrize("do", DEEDS.values(), ids=DEEDS)


async def finished(*sides: View) -> tuple[Studio, GeneratedImage]:
    """A try-on whose front is there."""
    studio = await Studio.with_credits(4)
    image = await studio.accept_and_render(*sides)
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    return studio, image


async def test_a_favourite_is_marked_and_unmarked_however_often() -> None:
    studio, image = await finished()
    for wanted in (True, True, False, False):
        await studio.favourite(MarkFavourite(image.id, is_favourite=wanted), OWNER)
        assert image.is_favourite is wanted
        assert not studio.uow.is_open


@each_deed
async def test_what_is_not_ones_own_cannot_be_touched(do: Deed) -> None:
    """Another's, a deleted one, one that never was or could be: the same refusal, and nothing changes."""
    studio, image = await finished()
    gone = await studio.accept()
    await studio.delete(DeleteImage(gone.id), OWNER)
    announced = list(studio.outbox.announced)
    absent = [999, 0, -LARGEST_ID - 2, LARGEST_ID + 1]
    for image_id, actor in [(image.id, STRANGER), (gone.id, OWNER), *((number, OWNER) for number in absent)]:
        with pytest.raises(NotFound) as refusal:
            await do(studio, image_id, actor)
        assert (refusal.value.code, refusal.value.detail) == ("image_not_found", "There is no such image.")
    assert (image.is_favourite, image.deleted_at, studio.outbox.announced) == (False, None, announced)


@each_deed
async def test_visitors_touch_nothing(do: Deed) -> None:
    studio, image = await finished()
    with pytest.raises(Unauthenticated):
        await do(studio, image.id, VISITOR)


async def test_deleting_cancels_what_is_in_progress_and_leaves_the_ledger_alone() -> None:
    """The hold of the open view is void, its prediction abandoned; the front that is there stays paid."""
    studio, image = await finished(View.LEFT)
    before = studio.accounts.entries(CUSTOMER)
    await studio.delete(DeleteImage(image.id), OWNER)
    left = image.render(View.LEFT)
    assert (image.deleted_at, image.front.status, left.status) == (studio.uow.time, Status.COMPLETED, Status.CANCELLED)
    assert (studio.accounts.hold_of(image.front), studio.accounts.hold_of(left)) == (
        HoldStatus.POSTED,
        HoldStatus.VOIDED,
    )
    assert studio.accounts.entries(CUSTOMER) == before
    assert not studio.uow.is_open


async def test_the_provider_need_not_render_a_deleted_try_on() -> None:
    studio = await Studio.with_credits(1)
    image = await studio.accept_and_submit()
    await studio.delete(DeleteImage(image.id), OWNER)
    assert PredictionAbandoned(image.front.id, "prediction1") in studio.outbox.events


async def test_outputs_leave_storage_and_the_photo_follows() -> None:
    """Every attempt's output, noted or not; five minutes later somebody looks again, and takes the photo away too."""
    studio, image = await finished()
    image.front.attempt = 2
    unnoted = image.output_key(image.front)
    studio.storage.pictures[unnoted] = b"stored, and its worker killed"
    await studio.delete(DeleteImage(image.id), OWNER)
    await studio.erase(ImageDeleted(image.id), WORKER)
    assert list(studio.storage.pictures) == [studio.photo.key]
    again = ImageDeleted(image.id, last=True)
    assert studio.outbox.announced[-1] == Announced(again, studio.uow.time + timedelta(minutes=5))
    studio.storage.pictures[unnoted] = b"stored at that very moment"
    announced = len(studio.outbox.announced)
    photo = studio.photo.key
    await studio.erase(again, WORKER)
    assert list(studio.storage.pictures) == [photo]
    assert studio.outbox.events[announced:] == [PictureDiscarded(photo)]
    assert studio.uploads.rows.kept == {}
    assert not studio.uow.is_open


async def test_a_photo_stays_as_long_as_a_try_on_has_it() -> None:
    studio, image = await finished()
    other = await studio.accept()
    for deleted, left in ((image, 1), (other, 0)):
        await studio.delete(DeleteImage(deleted.id), OWNER)
        await studio.erase(ImageDeleted(deleted.id, last=True), WORKER)
        assert len(studio.uploads.rows.kept) == left


async def test_an_output_that_another_try_on_shows_stays_as_long_as_that_one() -> None:
    studio, image = await finished()
    other = await studio.accept()
    other.front.output_key = image.front.output_key
    assert image.front.output_key is not None
    await studio.delete(DeleteImage(image.id), OWNER)
    await studio.erase(ImageDeleted(image.id), WORKER)
    assert image.front.output_key in studio.storage.pictures
    await studio.delete(DeleteImage(other.id), OWNER)
    await studio.erase(ImageDeleted(other.id), WORKER)
    assert list(studio.storage.pictures) == [studio.photo.key]


async def test_a_storage_that_is_away_is_tried_again() -> None:
    """The event stays undone, and says nothing of a later look yet."""
    studio, image = await finished()
    await studio.delete(DeleteImage(image.id), OWNER)
    studio.storage.is_away = True
    announced = len(studio.outbox.announced)
    with pytest.raises(Unavailable):
        await studio.erase(ImageDeleted(image.id), WORKER)
    studio.uow.abandon()
    assert len(studio.outbox.announced) == announced


async def test_a_try_on_that_went_with_its_account_needs_nothing_more() -> None:
    studio = await Studio.with_credits(1)
    await studio.erase(ImageDeleted(999), WORKER)
    assert studio.outbox.events == []
