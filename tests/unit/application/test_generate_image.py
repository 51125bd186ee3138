import pytest

from application.actor import Actor, Client
from application.events import ViewSubmittable
from application.images.wanted_try_on import GenerateImage
from domain.credits import HoldStatus, InsufficientCredits
from domain.errors import Failure, Invalid, NotFound, Unauthenticated, Unprocessable
from domain.uploads import new_upload_key
from domain.views import Status, View
from tests.factories import StyleFactory
from tests.unit.application.rendering import CUSTOMER, Studio
from tests.unit.factories import UploadFactory

ACTOR = Actor.user(CUSTOMER, session_id=1)
ALL = tuple(View)


async def nothing_happened(studio: Studio, commits: int) -> None:
    assert studio.uow.commits == commits
    studio.uow.abandon()
    assert studio.images.rows.kept == {}
    assert studio.outbox.events == []
    assert (await studio.accounts.balance(CUSTOMER)).credits_held == 0


async def test_accepting_reserves_the_price_and_queues_the_front() -> None:
    """The sides wait for the finished front, and everything happens in one transaction."""
    studio = await Studio.with_credits(4)
    commits = studio.uow.commits
    accepted = await studio.generate(GenerateImage(1, studio.address, ALL), ACTOR)
    image = studio.images.rows.kept[accepted.image_id]
    assert (accepted.credits_held, image.status) == (4, Status.PENDING)
    assert [render.view for render in image.views] == list(ALL)
    assert (image.user_id, image.style_id, image.prompt_version, image.upload_id) == (CUSTOMER, 1, 1, studio.photo.id)
    assert {studio.accounts.hold_of(render) for render in image.views} == {HoldStatus.PENDING}
    assert (await studio.accounts.balance(CUSTOMER)).credits_available == 0
    assert studio.outbox.events == [ViewSubmittable(image.front.id)]
    assert studio.uow.commits == commits + 1


@pytest.mark.parametrize(("credits_", "views"), [(0, (View.FRONT,)), (3, ALL)])
async def test_a_request_without_credits_leaves_no_trace(credits_: int, views: tuple[View, ...]) -> None:
    """A customer with too few credits gets InsufficientCredits, and nothing is stored or announced."""
    studio = await Studio.with_credits(credits_)
    commits = studio.uow.commits
    with pytest.raises(InsufficientCredits):
        await studio.generate(GenerateImage(1, studio.address, views), ACTOR)
    await nothing_happened(studio, commits)


@pytest.mark.parametrize("style_id", [2, 99], ids=["not active", "unknown"])
async def test_only_styles_that_can_be_picked_are_rendered(style_id: int) -> None:
    studio = await Studio.with_credits(1)
    await studio.styles.add(StyleFactory.build(is_active=False))
    await studio.uow.commit()
    commits = studio.uow.commits
    with pytest.raises(NotFound) as refusal:
        await studio.generate(GenerateImage(style_id, studio.address), ACTOR)
    assert (refusal.value.code, refusal.value.field) == ("style_not_found", "style_id")
    await nothing_happened(studio, commits)


async def test_only_the_customers_own_uploads_are_rendered() -> None:
    """Another's photo, a photo that never was and an address of elsewhere are refused in the same words."""
    studio = await Studio.with_credits(1)
    others = UploadFactory.build(user_id=CUSTOMER + 1)
    await studio.uploads.add(others)
    await studio.uow.commit()
    commits = studio.uow.commits
    refusals = set()
    for address in (
        f"https://api.tryon.example/media/{others.key}",
        f"https://api.tryon.example/media/{new_upload_key()}",
        "https://elsewhere.example/portrait.jpg",
        "http://169.254.169.254/latest/meta-data/",
        "",
    ):
        with pytest.raises(Unprocessable) as refusal:
            await studio.generate(GenerateImage(1, address), ACTOR)
        refusals.add((refusal.value.code, refusal.value.field, refusal.value.detail))
    assert len(refusals) == 1
    assert refusals.pop()[:2] == ("image_url_not_allowed", "image_input_url")
    await nothing_happened(studio, commits)


async def test_a_repeated_request_is_answered_as_the_first() -> None:
    """One try-on, one hold; the address may carry another signature, for the key within it counts."""
    studio = await Studio.with_credits(2)
    first = await studio.generate(GenerateImage(1, studio.address), ACTOR, "a key")
    again = await studio.generate(GenerateImage(1, f"{studio.address}-anew"), ACTOR, "a key")
    assert again == first
    assert len(studio.images.rows.kept) == 1
    assert (await studio.accounts.balance(CUSTOMER)).credits_held == 1


async def test_a_key_stands_for_one_request() -> None:
    """With other views it is refused; under another key, or none, it is a request of its own."""
    studio = await Studio.with_credits(4)
    await studio.generate(GenerateImage(1, studio.address), ACTOR, "a key")
    with pytest.raises(Unprocessable) as refusal:
        await studio.generate(GenerateImage(1, studio.address, (View.FRONT, View.BACK)), ACTOR, "a key")
    assert refusal.value.code == "idempotency_key_reused"
    for key in ("another", None, None):
        await studio.generate(GenerateImage(1, studio.address), ACTOR, key)
    assert len(studio.images.rows.kept) == 4


async def test_views_are_the_same_request_in_any_order() -> None:
    studio = await Studio.with_credits(4)
    one = GenerateImage(1, studio.address, (View.FRONT, View.LEFT))
    other = GenerateImage(1, studio.address, (View.LEFT, View.FRONT))
    assert await studio.generate(one, ACTOR, "a key") == await studio.generate(other, ACTOR, "a key")


@pytest.mark.parametrize(
    ("views", "actor", "refusal"),
    [
        ((View.LEFT,), ACTOR, Invalid),
        ((View.FRONT, View.FRONT), ACTOR, Invalid),
        ((View.FRONT,), Actor.anonymous(Client()), Unauthenticated),
        ((View.FRONT,), Actor.system("worker"), Unauthenticated),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_looked_up(
    views: tuple[View, ...], actor: Actor, refusal: type[Failure]
) -> None:
    studio = await Studio.with_credits(1)
    with pytest.raises(refusal):
        await studio.generate(GenerateImage(1, studio.address, views), actor)
    assert not studio.uow.is_open
