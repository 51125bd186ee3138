"""How one reading of the catalogue serves many requests."""

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
import pytest

from application.styles.list_styles import ListStylesHandler
from application.styles.ports import StyleItem, StyleReader
from domain.errors import Unavailable
from domain.styles import Category
from presentation.http.styles import StylePages


class GatedStyles(StyleReader):
    """A catalogue whose readings take until they are let through; each sees the names there were when it began."""

    def __init__(self) -> None:
        self.names = ["Bob"]
        self.picture = "https://pictures.test/bob.jpg?signature=1"
        self.begun = 0
        self.fault: Exception | None = None
        self.gate = asyncio.Event()

    async def active(self, category: Category | None) -> list[StyleItem]:
        self.begun += 1
        names = list(self.names)
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return [StyleItem(1, name, "", category or Category.STANDARD, self.picture) for name in names]


@pytest.fixture
def styles() -> GatedStyles:
    return GatedStyles()


@pytest.fixture
def pages(styles: GatedStyles) -> StylePages:
    return StylePages(ListStylesHandler(styles=styles))


def ask(pages: StylePages, category: Category | None = None) -> asyncio.Task[list[str]]:
    async def names() -> list[str]:
        page = await pages.page(category)
        return [item["name"] for item in msgspec.json.decode(page.body)["items"]]

    return asyncio.create_task(names())


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_requests_that_wait_together_share_a_reading(pages: StylePages, styles: GatedStyles) -> None:
    """A hundred requests while one reading is under way take one more."""
    first = ask(pages)
    await settle()
    others = [ask(pages) for _ in range(100)]
    await settle()
    styles.gate.set()
    assert await asyncio.gather(first, *others) == [["Bob"]] * 101
    assert styles.begun == 2


async def test_nobody_is_shown_a_reading_that_began_before_the_question(pages: StylePages, styles: GatedStyles) -> None:
    """Who asks after a change sees the change, whatever is under way."""
    before = ask(pages)
    await settle()
    styles.names = ["Bob", "Pixie"]
    after = ask(pages)
    await settle()
    styles.gate.set()
    assert await before == ["Bob"]
    assert await after == ["Bob", "Pixie"]


async def test_nothing_is_kept_for_later(pages: StylePages, styles: GatedStyles) -> None:
    """The next request after an answer reads anew."""
    styles.gate.set()
    await ask(pages)
    styles.names = ["Pixie"]
    assert await ask(pages) == ["Pixie"]


async def test_categories_are_read_apart(pages: StylePages, styles: GatedStyles) -> None:
    styles.gate.set()
    all_styles, celebrities = await asyncio.gather(pages.page(None), pages.page(Category.CELEBRITY))
    assert all_styles.etag != celebrities.etag
    assert styles.begun == 2


async def test_a_version_is_the_same_wherever_it_is_made(styles: GatedStyles) -> None:
    """Another process signs the same pictures' addresses otherwise, and has read the catalogue at another time."""
    styles.gate.set()
    here, there = (StylePages(ListStylesHandler(styles=styles)) for _ in range(2))
    first = await here.page(None)
    styles.picture = "https://pictures.test/bob.jpg?signature=2"
    second = await there.page(None)
    assert (first.etag, first.body != second.body) == (second.etag, True)


async def test_a_version_ends_with_what_is_seen(
    styles: GatedStyles, pages: StylePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another name, another picture, and a quarter of an hour, before the addresses of the pictures expire."""
    styles.gate.set()
    etags = {(await pages.page(None)).etag}
    styles.names = ["Pixie"]
    etags.add((await pages.page(None)).etag)
    styles.picture = "https://pictures.test/other.jpg?signature=1"
    etags.add((await pages.page(None)).etag)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 900)
    etags.add((await pages.page(None)).etag)
    assert len(etags) == 4


async def test_a_client_that_goes_away_takes_nothing_from_the_others(pages: StylePages, styles: GatedStyles) -> None:
    """The one for whom the shared reading was begun is cancelled; the others get it all the same."""
    leaving, staying = ask(pages), ask(pages)
    await settle()
    leaving.cancel()
    styles.gate.set()
    assert await staying == ["Bob"]


async def test_a_failure_is_told_to_all_who_waited_for_it_and_to_nobody_else(
    pages: StylePages, styles: GatedStyles
) -> None:
    styles.fault = ConnectionError()
    styles.gate.set()
    failed = await asyncio.gather(ask(pages), ask(pages), return_exceptions=True)
    assert [type(outcome) for outcome in failed] == [ConnectionError, ConnectionError]
    styles.fault = None
    assert await ask(pages) == ["Bob"]


@pytest.fixture
async def crowd(pages: StylePages, styles: GatedStyles) -> AsyncIterator[list[asyncio.Task[list[str]]]]:
    """Many wait for a reading that hangs, and one was made just before; since then the catalogue has changed."""
    styles.gate.set()
    await ask(pages)
    styles.gate.clear()
    styles.names = ["Pixie"]
    waiting = [ask(pages) for _ in range(20)]
    await settle()
    yield waiting
    styles.gate.set()
    await asyncio.wait(waiting)


@pytest.mark.usefixtures("crowd")
async def test_in_a_crowd_newcomers_are_shown_the_last_page(pages: StylePages) -> None:
    """However slow the database is, only a few wait for it."""
    assert await ask(pages) == ["Bob"]


async def test_who_waits_is_shown_the_change(
    crowd: list[asyncio.Task[list[str]]], styles: GatedStyles, pages: StylePages
) -> None:
    """The first of the crowd wait all the same, and once they have been answered, nobody is shown the old page."""
    styles.gate.set()
    names = await asyncio.gather(*crowd)
    assert names[0] == ["Pixie"]
    assert await ask(pages) == ["Pixie"]


@pytest.mark.usefixtures("crowd")
async def test_a_page_older_than_a_second_is_shown_to_nobody(
    pages: StylePages, styles: GatedStyles, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1.01)
    late = ask(pages)
    await settle()
    assert not late.done()
    styles.gate.set()
    assert await late == ["Pixie"]


@pytest.mark.usefixtures("crowd")
async def test_a_crowd_at_one_category_shows_nobody_another(pages: StylePages, styles: GatedStyles) -> None:
    """There is no last page of a category that was never read."""
    other = ask(pages, Category.CELEBRITY)
    await settle()
    assert not other.done()
    styles.gate.set()
    assert await other == ["Pixie"]


async def test_who_waited_for_a_reading_that_failed_waits_for_no_other(pages: StylePages, styles: GatedStyles) -> None:
    """The database is away, and would be for them; who comes later is read for anew."""
    styles.fault = Unavailable("service_unavailable", "Away.")
    first = ask(pages)
    await settle()
    second, other = ask(pages), ask(pages, Category.CELEBRITY)
    await settle()
    styles.gate.set()
    for asked in (first, second, other):
        with pytest.raises(Unavailable):
            await asked
    assert styles.begun == 1
    styles.fault = None
    assert await ask(pages) == ["Bob"]
