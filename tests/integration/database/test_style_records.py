"""How operators read and keep the catalogue."""

import asyncio

import pytest

from application.styles.ports import ALL_STYLES, StyleFilter
from domain.errors import Conflict
from domain.styles import Category
from infrastructure.database.style_records import SqlStyleRecords
from tests.factories import StyleFactory
from tests.fakes import InMemoryStorage
from tests.integration.database.stage import Stage

STORAGE = InMemoryStorage()


async def test_the_catalogue_is_read_page_by_page_in_its_order(stage: Stage) -> None:
    """Also where two stand at the same place, and a cursor of a style that is gone is the end."""
    third, first, second = [await stage.style(position=position) for position in (2, 1, 1)]
    reader, seen, after = SqlStyleRecords(stage.pool, STORAGE), [], None
    while page := await reader.styles(after=after, limit=1, only=ALL_STYLES):
        after = page[-1].id
        seen.append(after)
    assert seen == [first.id, second.id, third.id]
    assert await reader.styles(after=999, limit=1, only=ALL_STYLES) == []


@pytest.mark.parametrize(
    ("only", "slugs"),
    [
        (ALL_STYLES, ["bob", "afro", "lob"]),
        (StyleFilter(is_active=False), ["lob"]),
        (StyleFilter(category=Category.CELEBRITY), ["afro"]),
        (StyleFilter(Category.STANDARD, is_active=True), ["bob"]),
    ],
)
async def test_styles_are_found_by_category_and_by_whether_they_are_shown(
    stage: Stage, only: StyleFilter, slugs: list[str]
) -> None:
    await stage.style(slug="bob", position=1)
    await stage.style(slug="afro", position=2, category=Category.CELEBRITY)
    await stage.style(slug="lob", position=3, is_active=False)
    found = await SqlStyleRecords(stage.pool, STORAGE).styles(after=None, limit=10, only=only)
    assert [style.slug for style in found] == slugs


async def test_a_style_is_shown_with_every_version_of_its_prompts(stage: Stage) -> None:
    style = await stage.style(thumbnail="")
    async with stage.desk() as desk:
        edited = await desk.styles.claim(style.id)
        assert edited is not None
        edited.edit_prompts("front", "right", "left", "back")
        await desk.uow.commit()
    reader = SqlStyleRecords(stage.pool, STORAGE)
    shown = await reader.style(style.slug)
    assert shown is not None
    assert shown == await reader.style(style.id)
    assert [(version.version, version.front) for version in shown.prompts] == [
        (2, "front"),
        (1, style.prompts[0].front),
    ]
    assert (shown.prompt_version, shown.thumbnail_url) == (2, None)
    (catalogued,) = await reader.catalogue()
    assert (catalogued.front, catalogued.right, catalogued.left, catalogued.back) == ("front", "right", "left", "back")
    assert await reader.style("no-such-style") is None


async def test_two_edits_at_once_make_two_versions(stage: Stage) -> None:
    """The second waits for the first, and sees what it did."""
    style = await stage.style()

    async def edit(words: str) -> None:
        async with stage.desk() as desk:
            claimed = await desk.styles.claim(style.slug)
            assert claimed is not None
            await asyncio.sleep(0.05)
            claimed.edit_prompts(words, words, words, words)
            await desk.uow.commit()

    await asyncio.gather(edit("one"), edit("two"))
    shown = await SqlStyleRecords(stage.pool, STORAGE).style(style.id)
    assert shown is not None
    assert [version.version for version in shown.prompts] == [3, 2, 1]


async def test_a_slug_that_is_taken_is_a_conflict(stage: Stage) -> None:
    style = await stage.style(position=7)
    async with stage.desk() as desk:
        assert await desk.styles.last_position() == 7
        with pytest.raises(Conflict):
            await desk.styles.add(StyleFactory.build(slug=style.slug))


async def test_an_empty_catalogue_begins_with_the_first(stage: Stage) -> None:
    async with stage.desk() as desk:
        assert await desk.styles.last_position() == 0
