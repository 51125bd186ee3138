"""What operators do about the catalogue."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from application.actor import Actor
from application.images.ports import PictureStorage
from application.images.wanted_try_on import GenerateImage
from application.styles.add_style import AddStyle, AddStyleHandler
from application.styles.edit_style import EditStyle, EditStyleHandler
from application.styles.export_styles import ExportStyles, ExportStylesHandler
from application.styles.list_all_styles import ListAllStyles, ListAllStylesHandler
from application.styles.ports import (
    CataloguedStyle,
    PromptVersion,
    StyleDetails,
    StyleEntry,
    StyleFilter,
    StyleRecords,
)
from application.styles.show_style import ShowStyle, ShowStyleHandler
from application.styles.switch_style import SwitchStyle, SwitchStyleHandler
from application.styles.thumbnails import NewThumbnail
from domain.errors import Conflict, Failure, Forbidden, Invalid, NotFound, TooLarge, Unavailable, Unprocessable
from domain.styles import Category, Style
from domain.uploads import LARGEST_UPLOAD
from tests.in_memory import InMemoryAuditLog
from tests.unit.application.records import InMemoryStyles
from tests.unit.application.rendering import BROKEN, CUSTOMER, Studio
from tests.unit.application.test_import_styles import Shelf

ROOT, ADA = Actor.operator("root"), Actor.user(CUSTOMER, session_id=1)
WOLF = AddStyle(
    slug="wolf-cut",
    name="Wolf  Cut",
    description=" Shaggy\nlayers. ",
    category=Category.STANDARD,
    front=" A wolf cut.\nFrom the front. ",
    right="From the right.",
    left="From the left.",
    back="From behind.",
)


class KeptStyles(StyleRecords):
    """A reader: it shows what has been committed."""

    def __init__(self, styles: InMemoryStyles, storage: PictureStorage) -> None:
        self._styles = styles
        self._storage = storage

    async def styles(self, *, after: int | None, limit: int, only: StyleFilter) -> list[StyleEntry]:
        kept: list[StyleEntry] = [await self._details(style) for style in self._styles.rows.kept.values()]
        return [
            style
            for style in kept
            if style.id > (after or 0) and only.is_active in {None, style.is_active} and only.category is None
        ][:limit]

    async def style(self, named: int | str) -> StyleDetails | None:
        found = [style for style in self._styles.rows.kept.values() if named in {style.id, style.slug}]
        return await self._details(found[0]) if found else None

    async def catalogue(self) -> list[CataloguedStyle]:
        return [_catalogued(style) for style in self._styles.rows.kept.values()]

    async def _details(self, style: Style) -> StyleDetails:
        versions = [
            PromptVersion(prompts.version, prompts.front, prompts.right, prompts.left, prompts.back)
            for prompts in reversed(style.prompts)
        ]
        return StyleDetails(
            id=style.id,
            slug=style.slug,
            name=style.name,
            description=style.description,
            category=style.category,
            position=style.position,
            is_active=style.is_active,
            prompt_version=style.prompt_version,
            thumbnail_url=await self._storage.url(style.thumbnail) if style.thumbnail else None,
            prompts=versions,
        )


def _catalogued(style: Style) -> CataloguedStyle:
    prompts = style.current_prompts
    assert prompts is not None
    shown = ("slug", "name", "description", "category", "thumbnail", "is_active")
    words = {view: getattr(prompts, view) for view in ("front", "right", "left", "back")}
    return CataloguedStyle(**{name: getattr(style, name) for name in shown}, **words)


class Salon:
    """A studio whose catalogue can be worked on."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.styles, self.storage, self.uow = studio.styles, studio.storage, studio.uow
        self.audit = InMemoryAuditLog(self.uow)
        self.shelf = Shelf()
        records = KeptStyles(self.styles, self.storage)
        thumbnails = NewThumbnail(pictures=studio.pictures, storage=self.storage)
        self.add = AddStyleHandler(
            styles=self.styles, thumbnails=thumbnails, records=records, audit=self.audit, uow=self.uow
        )
        self.edit = EditStyleHandler(
            styles=self.styles, thumbnails=thumbnails, records=records, audit=self.audit, uow=self.uow
        )
        self.switch = SwitchStyleHandler(styles=self.styles, records=records, audit=self.audit, uow=self.uow)
        self.list = ListAllStylesHandler(records=records)
        self.show = ShowStyleHandler(records=records)
        self.export = ExportStylesHandler(records=records, storage=self.storage, catalogue=self.shelf)

    @classmethod
    async def open(cls) -> "Salon":
        """With one style that customers can pick, and a customer who can afford three views."""
        return cls(await Studio.with_credits(3))

    @property
    def notes(self) -> Sequence[tuple[str, str, str]]:
        return [(note.operator, note.action, note.subject) for note in self.audit.kept]


async def test_a_new_style_waits_for_an_operator_who_has_looked_at_it() -> None:
    """At the end of the catalogue, its words tidied, its picture the centre square in our own encoding."""
    salon = await Salon.open()
    last = salon.styles.rows.kept[1].position
    added = await salon.add(WOLF, ROOT, thumbnail=b"a picture")
    assert (added.slug, added.name, added.description) == ("wolf-cut", "Wolf Cut", "Shaggy layers.")
    assert (added.position, added.is_active, added.prompt_version) == (last + 1, False, 1)
    assert added.prompts == [
        PromptVersion(1, "A wolf cut.\nFrom the front.", "From the right.", "From the left.", "From behind.")
    ]
    assert salon.storage.pictures[salon.styles.rows.kept[2].thumbnail] == b"normalised a picture"
    assert salon.notes == [("root", "style.add", "style:2")]
    assert (await salon.switch(SwitchStyle("wolf-cut", is_active=True), ROOT)).is_active
    with pytest.raises(Conflict):
        await salon.switch(SwitchStyle("2", is_active=True), ROOT)


async def test_a_style_without_a_picture_cannot_be_shown() -> None:
    salon = await Salon.open()
    added = await salon.add(WOLF, ROOT)
    assert added.thumbnail_url is None
    with pytest.raises(Conflict) as refusal:
        await salon.switch(SwitchStyle("wolf-cut", is_active=True), ROOT)
    assert "thumbnail" in refusal.value.detail
    salon.uow.abandon()
    await salon.edit(EditStyle(), ROOT, style="wolf-cut", thumbnail=b"a picture")
    assert (await salon.switch(SwitchStyle("wolf-cut", is_active=True), ROOT)).is_active


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": "Wolf Cut"}, "slug"),
        ({"slug": "wolf--cut"}, "slug"),
        ({"slug": "2024"}, "slug"),
        ({"slug": "x" * 81}, "slug"),
        ({"name": " "}, "name"),
        ({"name": "x" * 71}, "name"),
        ({"description": "\x00"}, "description"),
        ({"back": "\n"}, "back"),
        ({"left": "x" * 8001}, "left"),
    ],
)
async def test_what_is_no_style_is_not_added(changes: dict[str, str], field: str) -> None:
    """And no picture is stored for it."""
    salon = await Salon.open()
    pictures = dict(salon.storage.pictures)
    words = {name: getattr(WOLF, name) for name in WOLF.__struct_fields__}
    with pytest.raises(Invalid) as refusal:
        await salon.add(AddStyle(**(words | changes)), ROOT, thumbnail=b"a picture")
    assert refusal.value.field == field
    assert salon.storage.pictures == pictures


@pytest.mark.parametrize(
    ("thumbnail", "category"),
    [(BROKEN, Unprocessable), (b"x" * (LARGEST_UPLOAD + 1), TooLarge)],
    ids=["broken", "large"],
)
async def test_a_picture_is_as_little_trusted_as_a_customers(thumbnail: bytes, category: type[Failure]) -> None:
    salon = await Salon.open()
    with pytest.raises(category):
        await salon.add(WOLF, ROOT, thumbnail=thumbnail)
    with pytest.raises(category):
        await salon.edit(EditStyle(), ROOT, style="1", thumbnail=thumbnail)
    assert len(salon.styles.rows.kept) == 1


async def test_without_storage_there_is_no_new_picture_and_no_style() -> None:
    salon = await Salon.open()
    salon.storage.is_away = True
    with pytest.raises(Unavailable):
        await salon.add(WOLF, ROOT, thumbnail=b"a picture")
    assert len(salon.styles.rows.kept) == 1


async def test_a_slug_is_taken_once() -> None:
    salon = await Salon.open()
    await salon.add(WOLF, ROOT)
    with pytest.raises(Conflict):
        await salon.add(WOLF, ROOT)


async def test_another_prompt_is_another_version_and_try_ons_keep_theirs() -> None:
    """The one that was accepted before the edit is rendered with the words of then."""
    salon = await Salon.open()
    before = salon.styles.rows.kept[1].prompts[0].front
    image = await salon.studio.accept()
    edited = await salon.edit(EditStyle(front="Other words."), ROOT, style="1")
    assert (edited.prompt_version, [version.version for version in edited.prompts]) == (2, [2, 1])
    assert edited.prompts[0].right == edited.prompts[1].right
    assert (await salon.studio.renders.order(image.front.id)).prompt == before
    accepted = await salon.studio.generate(GenerateImage(1, salon.studio.address), ADA)
    later = salon.studio.images.rows.kept[accepted.image_id]
    assert (await salon.studio.renders.order(later.front.id)).prompt == "Other words."
    assert salon.audit.kept[-1].details == {"changed": ["prompts"], "prompt_version": 2}


async def test_what_customers_see_changes_without_a_new_version() -> None:
    salon = await Salon.open()
    edited = await salon.edit(EditStyle(name="Lob", position=7, category=Category.CELEBRITY), ROOT, style="1")
    assert (edited.name, edited.position, edited.category, edited.prompt_version) == ("Lob", 7, Category.CELEBRITY, 1)
    assert salon.audit.kept[-1].details["changed"] == ["name", "category", "position"]


async def test_an_edit_that_changes_nothing_leaves_no_note() -> None:
    salon = await Salon.open()
    name = salon.styles.rows.kept[1].name
    await salon.edit(EditStyle(name=name), ROOT, style="1")
    assert salon.audit.kept == []
    with pytest.raises(Invalid):
        await salon.edit(EditStyle(), ROOT, style="1")


async def test_a_style_that_was_deactivated_cannot_be_picked() -> None:
    salon = await Salon.open()
    assert not (await salon.switch(SwitchStyle("1", is_active=False), ROOT)).is_active
    with pytest.raises(NotFound):
        await salon.studio.accept()
    with pytest.raises(Conflict):
        await salon.switch(SwitchStyle("1", is_active=False), ROOT)
    assert salon.notes == [("root", "style.deactivate", "style:1")]


async def test_the_catalogue_is_listed_with_what_customers_do_not_see() -> None:
    salon = await Salon.open()
    await salon.add(WOLF, ROOT)
    first = await salon.list(ListAllStyles(limit=1), ROOT)
    rest = await salon.list(ListAllStyles(limit=1, cursor=first.next_cursor), ROOT)
    assert ([style.slug for style in rest.items], rest.next_cursor) == (["wolf-cut"], None)
    hidden = await salon.list(ListAllStyles(only=StyleFilter(is_active=False)), ROOT)
    assert [style.slug for style in hidden.items] == ["wolf-cut"]


async def test_the_catalogue_is_written_with_the_prompts_that_count() -> None:
    """And with its pictures; a style without one has none there either."""
    salon = await Salon.open()
    salon.storage.pictures[salon.styles.rows.kept[1].thumbnail] = b"a picture"
    await salon.add(WOLF, ROOT)
    await salon.edit(EditStyle(front="Other words."), ROOT, style="1")
    exported = await salon.export(ExportStyles("styles.toml"), ROOT)
    assert (exported.file, exported.styles) == ("styles.toml", 2)
    first, second = salon.shelf.entries
    assert (first.front, first.thumbnail, first.is_active) == ("Other words.", b"a picture", True)
    assert (second.slug, second.thumbnail, second.is_active) == ("wolf-cut", None, False)


DEEDS: dict[str, Callable[[Salon, str, Actor], Awaitable[object]]] = {
    "edit": lambda salon, style, actor: salon.edit(EditStyle(name="x"), actor, style=style),
    "switch": lambda salon, style, actor: salon.switch(SwitchStyle(style, is_active=False), actor),
    "show": lambda salon, style, actor: salon.show(ShowStyle(style), actor),
    "list": lambda salon, _, actor: salon.list(ListAllStyles(), actor),
    "add": lambda salon, _, actor: salon.add(WOLF, actor, thumbnail=b"a picture"),
    "export": lambda salon, _, actor: salon.export(ExportStyles("x"), actor),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_only_operators_see_prompts_and_change_styles(deed: str) -> None:
    salon = await Salon.open()
    with pytest.raises(Forbidden):
        await DEEDS[deed](salon, "1", ADA)
    assert salon.audit.kept == []


@pytest.mark.parametrize("deed", ["edit", "switch", "show"])
@pytest.mark.parametrize("named", ["99", "0", "9" * 30, "no-such-style", ""])
async def test_a_style_that_is_not_there_is_told(deed: str, named: str) -> None:
    salon = await Salon.open()
    with pytest.raises(NotFound) as refusal:
        await DEEDS[deed](salon, named, ROOT)
    assert refusal.value.code == "style_not_found"
