"""What customers look at: their own things, page by page, and nobody else's."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from application.actor import Actor, Client
from application.credits.audit_ledger import AuditLedger, AuditLedgerHandler
from application.credits.get_balance import GetBalance, GetBalanceHandler
from application.credits.list_history import ListHistory, ListHistoryHandler
from application.credits.ports import Balance, LedgerAudit, LedgerAuditor, LedgerDifference, LedgerItem, LedgerReader
from application.images.get_status import GetStatus, GetStatusHandler
from application.images.list_images import ListImages, ListImagesHandler
from application.images.ports import EVERYTHING, GalleryFilter, ImageItem, ImageReader, ImageStatus
from application.styles.list_styles import ListStyles, ListStylesHandler
from application.styles.ports import StyleItem, StyleReader
from application.users.get_profile import GetProfile, GetProfileHandler
from application.users.ports import Profile, ProfileReader
from domain.credits import Cause
from domain.errors import Forbidden, NotFound, Unauthenticated
from domain.identifiers import LARGEST_ID, can_be_id
from domain.styles import Category
from domain.users import Role
from domain.views import Status
from tests.unit.factories import NOW

Ask = Callable[[], Awaitable[object]]

ADA, BOB, VISITOR = Actor.user(7, session_id=1), Actor.user(8, session_id=2), Actor.anonymous(Client())


def status(image_id: int) -> ImageStatus:
    return ImageStatus(
        id=image_id,
        status=Status.PENDING,
        style_id=1,
        style_name="Bob",
        description="To the jaw.",
        input_image_url="https://pictures.test/1.jpg",
        output_image_url=None,
        right_view_url=None,
        left_view_url=None,
        back_view_url=None,
        views=[],
        is_favourite=False,
        time_taken=None,
        error=None,
        created_at=NOW + timedelta(seconds=image_id),
        queue_position=1,
        eta_seconds=None,
    )


class AdasThings(LedgerReader, ImageReader, ProfileReader, StyleReader):
    """Ada has 5 ledger entries and 5 try-ons; there is nobody else."""

    async def balance(self, user_id: int) -> Balance | None:
        return Balance(5, 1, 0, 4) if user_id == 7 else None

    async def history(self, user_id: int, *, before: int | None, limit: int) -> list[LedgerItem]:
        ids = [entry for entry in (5, 4, 3, 2, 1) if user_id == 7 and (before is None or entry < before)]
        return [LedgerItem(entry, 1, Cause.GRANT, None, entry, NOW) for entry in ids[:limit]]

    async def status(self, image_id: int, *, owner: int) -> ImageStatus | None:
        assert can_be_id(image_id), "a database is not asked about what no id can be"
        return status(image_id) if owner == 7 and image_id <= 5 else None

    async def gallery(
        self, owner: int, *, before: int | None, limit: int, only: GalleryFilter = EVERYTHING
    ) -> list[ImageItem]:
        """Ada's try-ons are of a style each, which has the try-on's number."""
        mine = [image for image in (5, 4, 3, 2, 1) if owner == 7 and only.style_id in {None, image}]
        ids = [image for image in mine if before is None or image < before]
        return [status(image) for image in ids[:limit]]

    async def profile(self, user_id: int) -> Profile | None:
        if user_id != 7:
            return None
        return Profile(7, "ada@example.com", "Ada", None, Role.CUSTOMER, True, None, 5, 1, NOW)

    async def picture(self, user_id: int) -> str | None:
        return "pictures/profile/ada.jpg" if user_id == 7 else None

    async def active(self, category: Category | None) -> list[StyleItem]:
        return [StyleItem(1, "Bob", "To the jaw.", category or Category.STANDARD, "https://pictures.test/bob.png")]


THINGS = AdasThings()
balance = GetBalanceHandler(ledger=THINGS)
history = ListHistoryHandler(ledger=THINGS)
one_image = GetStatusHandler(images=THINGS)
gallery = ListImagesHandler(images=THINGS)
profile = GetProfileHandler(profiles=THINGS)
styles = ListStylesHandler(styles=THINGS)


async def test_customers_see_their_own_things() -> None:
    assert (await balance(GetBalance(), ADA)).credits_available == 4
    assert (await profile(GetProfile(), ADA)).email == "ada@example.com"
    assert (await one_image(GetStatus(3), ADA)).id == 3


async def test_what_is_not_ones_own_is_not_there() -> None:
    """Another's try-on, one that never was, and one that never could be: the same answer."""
    for image_id, actor in ((3, BOB), (9, ADA), (0, ADA), (LARGEST_ID + 1, ADA), (-LARGEST_ID - 2, ADA)):
        with pytest.raises(NotFound) as refusal:
            await one_image(GetStatus(image_id), actor)
        assert (refusal.value.code, refusal.value.detail) == ("image_not_found", "There is no such image.")


async def test_an_account_that_is_gone_is_told() -> None:
    """Erased while its token still lived."""
    asks: list[Ask] = [lambda: balance(GetBalance(), BOB), lambda: profile(GetProfile(), BOB)]
    for ask in asks:
        with pytest.raises(NotFound) as refusal:
            await ask()
        assert refusal.value.code == "user_not_found"


async def test_visitors_see_the_catalogue_only() -> None:
    asks: list[Ask] = [
        lambda: balance(GetBalance(), VISITOR),
        lambda: history(ListHistory(), VISITOR),
        lambda: one_image(GetStatus(1), VISITOR),
        lambda: gallery(ListImages(), VISITOR),
        lambda: profile(GetProfile(), VISITOR),
    ]
    for ask in asks:
        with pytest.raises(Unauthenticated):
            await ask()
    shown = await styles(ListStyles(Category.CELEBRITY), VISITOR)
    assert ([item.category for item in shown.items], shown.next_cursor) == ([Category.CELEBRITY], None)


@pytest.mark.parametrize(("limit", "pages"), [(1, 5), (2, 3), (4, 2), (5, 1), (6, 1), (100, 1)])
async def test_pages_lead_to_the_end_and_no_further(limit: int, pages: int) -> None:
    """A full last page is followed by none: no cursor leads to an empty page."""
    entries: list[int] = []
    images: list[int] = []
    cursor = None
    for _ in range(pages):
        entry_page = await history(ListHistory(limit, cursor), ADA)
        image_page = await gallery(ListImages(limit, cursor), ADA)
        assert entry_page.next_cursor == image_page.next_cursor
        cursor = entry_page.next_cursor
        entries += [item.id for item in entry_page.items]
        images += [item.id for item in image_page.items]
    assert entries == images == [5, 4, 3, 2, 1]
    assert cursor is None


async def test_a_part_of_the_gallery_can_be_asked_for() -> None:
    page = await gallery(ListImages(1, only=GalleryFilter(style_id=4)), ADA)
    assert ([item.id for item in page.items], page.next_cursor) == ([4], None)


async def test_who_has_nothing_gets_an_empty_page() -> None:
    assert (await gallery(ListImages(), BOB)).items == []
    assert (await history(ListHistory(), BOB)).next_cursor is None


class FakeAuditor(LedgerAuditor):
    async def audit(self) -> LedgerAudit:
        return LedgerAudit(1, 2, 0, [LedgerDifference(7, 1, 2, 0, 0, 0, 0)], [], [])


async def test_only_operators_audit() -> None:
    audit = AuditLedgerHandler(auditor=FakeAuditor())
    assert not (await audit(AuditLedger(), Actor.operator("root"))).balanced
    with pytest.raises(Forbidden):
        await audit(AuditLedger(), ADA)
