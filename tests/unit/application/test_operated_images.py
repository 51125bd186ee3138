"""What operators do about customers' try-ons: by the domain's own transitions, holds settled with them."""

from collections.abc import Awaitable, Callable

import pytest

from application.actor import Actor
from application.events import PredictionAbandoned, ViewFinishable, ViewSubmittable
from application.images.cancel_any_image import CancelAnyImage, CancelAnyImageHandler
from application.images.cancellation_allowance import BEGUN_A_DAY
from application.images.delete_image import DeleteImage
from application.images.fail_image import FailImage, FailImageHandler
from application.images.image_records import (
    ImageDetails,
    ImageEntry,
    ImageFilter,
    ImageRecords,
    ViewDetails,
)
from application.images.list_all_images import ListAllImages, ListAllImagesHandler
from application.images.retry_any_image import RetryAnyImage, RetryAnyImageHandler
from application.images.show_image import ShowImage, ShowImageHandler
from application.users.ports import UserFinder
from domain.credits import Cause, HoldStatus, InsufficientCredits
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.identifiers import LARGEST_ID
from domain.images import GeneratedImage
from domain.renders import ViewRender
from domain.views import Status, View, ViewError
from tests.in_memory import InMemoryAuditLog
from tests.unit.application.rendering import CUSTOMER, WORKER, Studio
from tests.unit.factories import POLICY

ROOT, ADA = Actor.operator("root"), Actor.user(CUSTOMER, session_id=1)
WHY = "stuck"


class KeptImages(ImageRecords, UserFinder):
    """A reader: it shows what has been committed."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def id_of(self, email_or_id: str) -> int:
        return int(email_or_id)

    async def images(self, *, before: int | None, limit: int, only: ImageFilter) -> list[ImageEntry]:
        kept: list[ImageEntry] = [self._image(image) for image in reversed(self._studio.images.rows.kept.values())]
        return [
            image
            for image in kept
            if image.id < (before or LARGEST_ID)
            and only.user_id in {None, image.user_id}
            and only.status in {None, image.status}
            and (image.deleted_at is not None) is only.is_deleted
        ][:limit]

    async def image(self, image_id: int) -> ImageDetails | None:
        image = self._studio.images.rows.kept.get(image_id)
        return self._image(image) if image else None

    def _image(self, image: GeneratedImage) -> ImageDetails:
        return ImageDetails(
            id=image.id,
            user_id=image.user_id,
            email="ada@example.com",
            style_id=image.style_id,
            style_name="Bob",
            status=image.status,
            views=[self._view(render) for render in image.views],
            created_at=image.created_at,
            deleted_at=image.deleted_at,
            prompt_version=image.prompt_version,
            is_favourite=image.is_favourite,
            input_image_url=None,
            log=[],
        )

    def _view(self, render: ViewRender) -> ViewDetails:
        return ViewDetails(
            id=render.id,
            view=render.view,
            status=render.status,
            error=render.error,
            round=render.round,
            attempt=render.attempt,
            hold=self._studio.accounts.hold_of(render),
            prediction_id=render.prediction_id,
            output_url=render.output_key,
            accepted_at=render.accepted_at,
            due_at=render.due_at,
            lease_until=render.lease_until,
            expires_at=render.expires_at,
            deadline_at=render.deadline_at,
            finished_at=render.finished_at,
        )


class Desk:
    """An operator's desk in a studio."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.audit = InMemoryAuditLog(studio.uow)
        records = KeptImages(studio)
        self.retry = RetryAnyImageHandler(
            images=studio.images,
            settlement=studio.settlement,
            records=records,
            audit=self.audit,
            uow=studio.uow,
            policy=POLICY,
        )
        self.cancel = CancelAnyImageHandler(
            images=studio.images, settlement=studio.settlement, records=records, audit=self.audit, uow=studio.uow
        )
        self.fail = FailImageHandler(
            images=studio.images, settlement=studio.settlement, records=records, audit=self.audit, uow=studio.uow
        )
        self.list = ListAllImagesHandler(users=records, records=records)
        self.show = ShowImageHandler(records=records)

    @classmethod
    async def with_credits(cls, credits_: int) -> "Desk":
        return cls(await Studio.with_credits(credits_))


Deed = Callable[[Desk, int, str, Actor], Awaitable[object]]
DEEDS: dict[str, Deed] = {
    "image.retry": lambda desk, image, reason, actor: desk.retry(RetryAnyImage(image, reason), actor),
    "image.cancel": lambda desk, image, reason, actor: desk.cancel(CancelAnyImage(image, reason), actor),
    "image.fail": lambda desk, image, reason, actor: desk.fail(FailImage(image, reason), actor),
}
each_deed = pytest.mark.parametrize("deed", DEEDS)


async def ready_for(deed: str) -> tuple[Desk, GeneratedImage]:
    desk = await Desk.with_credits(2)
    image = await desk.studio.accept(View.LEFT)
    if deed == "image.retry":
        await desk.fail(FailImage(image.id, "to begin with"), ROOT)
        desk.audit.kept.clear()
    return desk, image


@each_deed
async def test_what_is_done_is_noted_with_the_name_the_reason_and_the_views(deed: str) -> None:
    desk, image = await ready_for(deed)
    await DEEDS[deed](desk, image.id, WHY, ROOT)
    (note,) = desk.audit.kept
    assert (note.operator, note.action, note.subject, note.reason) == ("root", deed, f"image:{image.id}", WHY)
    assert note.details["views"] == ["front", "left"]
    assert not desk.studio.uow.is_open


@each_deed
async def test_only_operators_do_it_and_with_a_reason(deed: str) -> None:
    desk, image = await ready_for(deed)
    commits = desk.studio.uow.commits
    for actor in (ADA, WORKER):
        with pytest.raises(Forbidden):
            await DEEDS[deed](desk, image.id, WHY, actor)
    with pytest.raises(Invalid):
        await DEEDS[deed](desk, image.id, " ", ROOT)
    assert desk.studio.uow.commits == commits


@each_deed
async def test_a_try_on_that_is_not_there_is_told(deed: str) -> None:
    """One that never was or could be, and one that its owner deleted."""
    desk, image = await ready_for(deed)
    await desk.studio.delete(DeleteImage(image.id), ADA)
    for image_id in (image.id, 999, 0, LARGEST_ID + 1):
        with pytest.raises(NotFound) as refusal:
            await DEEDS[deed](desk, image_id, WHY, ROOT)
        assert refusal.value.code == "image_not_found"


@each_deed
async def test_what_has_ended_well_stays_as_it_is(deed: str) -> None:
    desk = await Desk.with_credits(1)
    image = await desk.studio.accept_and_render()
    await desk.studio.finish(ViewFinishable(image.front.id), WORKER)
    with pytest.raises(Conflict):
        await DEEDS[deed](desk, image.id, WHY, ROOT)
    assert desk.studio.accounts.hold_of(image.front) is HoldStatus.POSTED


async def test_what_is_failed_gives_its_credits_back_and_can_be_retried() -> None:
    """At the price of each view, with every credit of the first round back before."""
    desk = await Desk.with_credits(2)
    image = await desk.studio.accept(View.LEFT)
    failed = await desk.fail(FailImage(image.id, WHY, error=ViewError.PROVIDER_TIMEOUT), ROOT)
    assert failed.status is Status.FAILED
    assert [(view.error, view.hold) for view in failed.views] == [
        (ViewError.PROVIDER_TIMEOUT, HoldStatus.VOIDED),
        (ViewError.FRONT_FAILED, HoldStatus.VOIDED),
    ]
    assert (await desk.studio.accounts.balance(CUSTOMER)).credits_available == 2
    retried = await desk.retry(RetryAnyImage(image.id, WHY), ROOT)
    assert [(view.status, view.round, view.hold) for view in retried.views] == [
        (Status.PENDING, 2, HoldStatus.PENDING)
    ] * 2
    assert desk.studio.outbox.events[-1] == ViewSubmittable(image.front.id)
    assert (await desk.studio.accounts.balance(CUSTOMER)).credits_available == 0


async def test_one_view_can_be_failed_alone() -> None:
    """The others go on."""
    desk = await Desk.with_credits(3)
    image = await desk.studio.accept_and_render(View.LEFT, View.BACK)
    await desk.studio.finish(ViewFinishable(image.front.id), WORKER)
    failed = await desk.fail(FailImage(image.id, WHY, View.LEFT), ROOT)
    assert [view.status for view in failed.views] == [Status.COMPLETED, Status.FAILED, Status.PENDING]
    for view in (View.LEFT, View.RIGHT, View.FRONT):
        with pytest.raises(Conflict):
            await desk.fail(FailImage(image.id, WHY, view), ROOT)


async def test_the_provider_need_not_render_what_an_operator_has_failed() -> None:
    desk = await Desk.with_credits(1)
    image = await desk.studio.accept_and_submit()
    await desk.fail(FailImage(image.id, WHY), ROOT)
    assert PredictionAbandoned(image.front.id, "prediction1") in desk.studio.outbox.events


async def test_who_cannot_pay_is_not_retried() -> None:
    """Nothing is held, and nothing announced: credits are granted first."""
    desk = await Desk.with_credits(1)
    image = await desk.studio.accept()
    await desk.fail(FailImage(image.id, WHY), ROOT)
    await desk.studio.accounts.record(CUSTOMER, -1, Cause.REVOKE, natural_key="spent elsewhere")
    await desk.studio.uow.commit()
    announced = list(desk.studio.outbox.events)
    with pytest.raises(InsufficientCredits):
        await desk.retry(RetryAnyImage(image.id, WHY), ROOT)
    desk.studio.uow.abandon()
    assert desk.studio.outbox.events == announced


async def test_an_operator_cancels_as_often_as_it_takes() -> None:
    """Also what a worker has begun, more often than a customer may in a day."""
    desk = await Desk.with_credits(BEGUN_A_DAY + 2)
    for _ in range(BEGUN_A_DAY + 2):
        image = await desk.studio.accept_and_submit()
        cancelled = await desk.cancel(CancelAnyImage(image.id, WHY), ROOT)
        assert [(view.status, view.hold) for view in cancelled.views] == [(Status.CANCELLED, HoldStatus.VOIDED)]
    assert (await desk.studio.accounts.balance(CUSTOMER)).credits_available == BEGUN_A_DAY + 2


async def test_try_ons_are_listed_and_shown_to_operators_only() -> None:
    """Everybody's, page by page, newest first."""
    desk = await Desk.with_credits(3)
    images = [await desk.studio.accept() for _ in range(3)]
    await desk.cancel(CancelAnyImage(images[0].id, WHY), ROOT)
    first = await desk.list(ListAllImages(limit=2), ROOT)
    last = await desk.list(ListAllImages(limit=2, cursor=first.next_cursor), ROOT)
    assert [image.id for image in (*first.items, *last.items)] == [image.id for image in reversed(images)]
    found = await desk.list(ListAllImages(user=str(CUSTOMER), status=Status.CANCELLED), ROOT)
    assert [image.id for image in found.items] == [images[0].id]
    assert (await desk.list(ListAllImages(user="8"), ROOT)).items == []
    assert (await desk.show(ShowImage(images[0].id), ROOT)).status is Status.CANCELLED
    for ask in (desk.list(ListAllImages(), ADA), desk.show(ShowImage(images[0].id), ADA)):
        with pytest.raises(Forbidden):
            await ask
