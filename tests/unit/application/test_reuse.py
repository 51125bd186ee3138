"""The same photo in the same hairstyle once more: what is there is shown again, what is not is rendered and paid."""

import pytest

from application.actor import Actor
from application.credits.ports import Balance, LedgerItem, LedgerReader
from application.events import ImageDeleted, ViewFinishable, ViewSubmittable
from application.images.acceptances import ImageAccepted
from application.images.delete_image import DeleteImage
from application.images.estimates import Estimates, Pace, Paces
from application.images.price_image import ImagePrice, PriceImage, PriceImageHandler
from application.images.wanted_try_on import GenerateImage
from domain.credits import HoldStatus, InsufficientCredits
from domain.errors import Failure, Invalid, NotFound, Unauthenticated, Unprocessable
from domain.images import GeneratedImage
from domain.views import Status, View
from tests.factories import StyleFactory
from tests.in_memory import InMemoryAccounts
from tests.unit.application.rendering import CUSTOMER, WORKER, Studio
from tests.unit.factories import UploadFactory

ACTOR = Actor.user(CUSTOMER, session_id=1)


async def rendered(credits_: int = 4, *sides: View) -> tuple[Studio, GeneratedImage]:
    """A try-on of which these views are there."""
    studio = await Studio.with_credits(credits_)
    image = await studio.accept_and_render(*sides)
    await studio.finish(ViewFinishable(image.front.id), WORKER)
    for view in sides:
        render = image.render(view)
        await studio.submit(ViewSubmittable(render.id), WORKER)
        studio.model.render()
        await studio.tell(render)
        await studio.finish(ViewFinishable(render.id), WORKER)
    assert {render.status for render in image.views} == {Status.COMPLETED}
    return studio, image


async def again(
    studio: Studio, *sides: View, address: str = "", style: int = 1, reuse: bool = True, key: str | None = None
) -> ImageAccepted:
    request = GenerateImage(style, address or studio.address, (View.FRONT, *sides), reuse)
    return await studio.generate(request, ACTOR, key)


def made(studio: Studio, accepted: ImageAccepted) -> GeneratedImage:
    return studio.images.rows.kept[accepted.image_id]


async def test_what_is_there_is_shown_again_at_no_cost() -> None:
    """The try-on is complete at once: no hold, no order, nothing for a worker to do."""
    studio, image = await rendered(2, View.LEFT)
    announced = list(studio.outbox.events)
    accepted = await again(studio, View.LEFT)
    copy = made(studio, accepted)
    assert (accepted.credits_held, copy.status) == (0, Status.COMPLETED)
    assert [view.output_key for view in copy.views] == [view.output_key for view in image.views]
    assert [(view.output_width, view.output_height) for view in copy.views] == [(2048, 256)] * 2
    assert {studio.accounts.hold_of(view) for view in copy.views} == {None}
    assert studio.outbox.events == announced
    assert all(view.finished_at == view.accepted_at for view in copy.views)


async def test_views_that_are_not_there_are_rendered_from_the_shared_front() -> None:
    """They are paid, and can start at once."""
    studio, image = await rendered(2)
    accepted = await again(studio, View.BACK)
    copy = made(studio, accepted)
    back = copy.render(View.BACK)
    assert (accepted.credits_held, copy.status, back.status) == (1, Status.PROCESSING, Status.PENDING)
    assert studio.accounts.hold_of(back) is HoldStatus.PENDING
    assert studio.outbox.events[-1] == ViewSubmittable(back.id)
    order = await studio.renders.order(back.id)
    assert order.input_key == image.front.output_key


async def test_without_being_asked_for_nothing_is_shared() -> None:
    studio, _ = await rendered(2)
    accepted = await again(studio, reuse=False)
    assert (accepted.credits_held, made(studio, accepted).status) == (1, Status.PENDING)


async def test_a_key_that_came_without_reuse_is_another_request() -> None:
    studio, _ = await rendered(3)
    await again(studio, reuse=False, key="k")
    with pytest.raises(Unprocessable) as refusal:
        await again(studio, key="k")
    assert refusal.value.code == "idempotency_key_reused"


@pytest.mark.parametrize("what", ["photo", "style", "prompt"])
async def test_only_the_same_is_asked_for(what: str) -> None:
    """The photo and the hairstyle of the order, and the prompt that is rendered now."""
    studio, _ = await rendered(3)
    address, style = studio.address, 1
    match what:
        case "photo":
            other = UploadFactory.build(user_id=CUSTOMER)
            await studio.uploads.add(other)
            address = f"https://api.tryon.example/media/{other.key}"
        case "style":
            await studio.styles.add(StyleFactory.build())
            style = 2
        case "prompt":
            studio.styles.rows.kept[1].prompt_version += 1
    await studio.uow.commit()
    accepted = await again(studio, address=address, style=style)
    assert (accepted.credits_held, made(studio, accepted).front.status) == (1, Status.PENDING)


async def test_a_photo_is_known_again_by_its_bytes() -> None:
    """Uploaded twice, it is the same photo."""
    studio, image = await rendered(1)
    same = UploadFactory.build(user_id=CUSTOMER, digest=studio.photo.digest)
    await studio.uploads.add(same)
    await studio.uow.commit()
    accepted = await again(studio, address=f"https://api.tryon.example/media/{same.key}")
    assert made(studio, accepted).front.output_key == image.front.output_key


async def test_who_has_more_of_what_is_wanted_lends_all_of_it() -> None:
    """The older one, for it has the side view too; a side that neither has is rendered from that one's front."""
    studio, older = await rendered(6, View.LEFT)
    newer = await studio.accept_and_render()
    await studio.finish(ViewFinishable(newer.front.id), WORKER)
    for sides, lender in (((), newer), ((View.BACK,), newer), ((View.LEFT, View.BACK), older)):
        accepted = await again(studio, *sides)
        copy = made(studio, accepted)
        assert copy.front.output_key == lender.front.output_key
        assert accepted.credits_held == (View.BACK in sides)
        if View.BACK in sides:
            assert (await studio.renders.order(copy.render(View.BACK).id)).input_key == lender.front.output_key


async def test_what_is_shared_outlives_whoever_lent_it() -> None:
    """And can be lent on; the file goes with the last try-on that shows it."""
    studio, image = await rendered(1)
    first = made(studio, await again(studio))
    await studio.delete(DeleteImage(image.id), ACTOR)
    await studio.erase(ImageDeleted(image.id), WORKER)
    second = made(studio, await again(studio))
    await studio.delete(DeleteImage(first.id), ACTOR)
    await studio.erase(ImageDeleted(first.id), WORKER)
    assert second.front.output_key in studio.storage.pictures
    await studio.delete(DeleteImage(second.id), ACTOR)
    await studio.erase(ImageDeleted(second.id), WORKER)
    assert list(studio.storage.pictures) == [studio.photo.key]


async def test_a_lender_that_goes_at_that_very_moment_lends_nothing() -> None:
    """The older one does then; and when the last has gone, everything is rendered and paid."""
    studio, older = await rendered(3)
    newer = await studio.accept_and_render()
    await studio.finish(ViewFinishable(newer.front.id), WORKER)
    studio.acceptances.before_accepting.append(lambda: newer.delete(studio.uow.time))
    assert made(studio, await again(studio)).front.output_key == older.front.output_key
    for image in studio.images.rows.kept.values():
        image.delete(studio.uow.time)
    assert (await again(studio)).credits_held == 1


async def test_without_credits_what_is_there_can_still_be_had() -> None:
    studio, _ = await rendered(1)
    assert (await again(studio)).credits_held == 0
    with pytest.raises(InsufficientCredits):
        await again(studio, View.LEFT)


# What it would cost


class KnownPaces(Estimates):
    def __init__(self, **seconds: float) -> None:
        self._paces = Paces({View(view): Pace(each, 2 * each) for view, each in seconds.items()})

    async def paces(self) -> Paces:
        return self._paces


class InMemoryLedger(LedgerReader):
    def __init__(self, accounts: InMemoryAccounts) -> None:
        self._accounts = accounts

    async def balance(self, user_id: int) -> Balance | None:
        return await self._accounts.balance(user_id)

    async def history(self, user_id: int, *, before: int | None, limit: int) -> list[LedgerItem]:
        raise AssertionError(f"nobody asks for it here: {user_id}, {before}, {limit}")


async def price(studio: Studio, request: GenerateImage, actor: Actor = ACTOR, **seconds: float) -> ImagePrice:
    ledger, estimates = InMemoryLedger(studio.accounts), KnownPaces(**seconds)
    handle = PriceImageHandler(requests=studio.requests, ledger=ledger, estimates=estimates)
    try:
        return await handle(PriceImage(request), actor)
    finally:
        studio.uow.abandon()


async def test_a_price_is_told_and_nothing_changes() -> None:
    studio = await Studio.with_credits(3)
    commits = studio.uow.commits
    told = await price(studio, GenerateImage(1, studio.address, (View.FRONT, View.LEFT)), front=20, left=12)
    assert told == ImagePrice(2, 1, 32.0)
    assert (studio.uow.commits, studio.images.rows.kept, studio.outbox.events) == (commits, {}, [])


async def test_what_can_be_shared_is_not_in_the_price() -> None:
    """Nor in the time: with the front there, a side can start at once."""
    studio, _ = await rendered(3)
    views = (View.FRONT, View.LEFT)
    assert await price(studio, GenerateImage(1, studio.address, views, True), front=20, left=12) == ImagePrice(1, 1, 12)
    assert await price(studio, GenerateImage(1, studio.address, reuse=True), front=20) == ImagePrice(0, 2, 0.0)
    assert await price(studio, GenerateImage(1, studio.address, views)) == ImagePrice(2, 0, None)


@pytest.mark.parametrize(
    ("change", "actor", "refusal"),
    [
        ({"style_id": 99}, ACTOR, NotFound),
        ({"image_input_url": "https://elsewhere.example/me.jpg"}, ACTOR, Unprocessable),
        ({"views": (View.LEFT,)}, ACTOR, Invalid),
        ({"views": tuple(View)}, ACTOR, InsufficientCredits),
        ({}, Actor.system("nobody"), Unauthenticated),
    ],
)
async def test_what_would_be_refused_has_no_price(
    change: dict[str, object], actor: Actor, refusal: type[Failure]
) -> None:
    studio = await Studio.with_credits(3)
    request = GenerateImage(**({"style_id": 1, "image_input_url": studio.address} | change))  # type: ignore[arg-type]
    with pytest.raises(refusal):
        await price(studio, request, actor)


async def test_who_owes_credits_pays_nothing_for_what_is_there() -> None:
    """A claw-back may have taken the balance below zero: nothing can be spent, but this spends nothing."""
    studio, _ = await rendered(1)
    studio.accounts._books.credits[CUSTOMER] = -2
    await studio.uow.commit()
    assert await price(studio, GenerateImage(1, studio.address, reuse=True)) == ImagePrice(0, -2, 0.0)
