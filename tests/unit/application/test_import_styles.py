from collections.abc import Sequence

import msgspec
import pytest

from application.actor import Actor
from application.styles.import_styles import ImportStyles, ImportStylesHandler
from application.styles.ports import Catalogue, CatalogueEntry
from domain.errors import Forbidden, Invalid, Unavailable
from domain.styles import Category
from tests.in_memory import AuditNote, InMemoryAuditLog, Transaction
from tests.unit.application.records import InMemoryStyles
from tests.unit.application.rendering import WatchedStorage
from tests.unit.factories import NOW

ROOT = Actor.operator("root")


def entry(slug: str, **changes: object) -> CatalogueEntry:
    made = CatalogueEntry(
        slug, slug.title(), "A haircut.", Category.STANDARD, "front", "right", "left", "back", slug.encode()
    )
    return msgspec.structs.replace(made, **changes)


class Shelf(Catalogue):
    """A catalogue whose file can be rewritten."""

    def __init__(self, *entries: CatalogueEntry) -> None:
        self.entries = list(entries)
        self.fault: Exception | None = None

    def write(self, path: str, entries: Sequence[CatalogueEntry]) -> None:
        assert path
        self.entries = list(entries)

    def read(self, path: str | None) -> list[CatalogueEntry]:
        assert path is None
        if self.fault:
            raise self.fault
        return self.entries


class Importing:
    def __init__(self, *entries: CatalogueEntry) -> None:
        self.catalogue = Shelf(*entries)
        self.uow = Transaction(NOW)
        self.styles = InMemoryStyles(self.uow)
        self.storage = WatchedStorage(self.uow)
        self.audit = InMemoryAuditLog(self.uow)

    async def run(self, actor: Actor = ROOT) -> tuple[list[str], list[str], int]:
        handle = ImportStylesHandler(
            catalogue=self.catalogue, styles=self.styles, storage=self.storage, audit=self.audit, uow=self.uow
        )
        imported = await handle(ImportStyles(), actor)
        return imported.added, imported.changed, imported.unchanged

    @property
    def kept(self) -> list[tuple[str, int, int]]:
        """Slug, position and prompt version."""
        return [(style.slug, style.position, style.prompt_version) for style in self.styles.rows.kept.values()]


async def test_a_catalogue_is_loaded_in_its_order() -> None:
    """Every style can be picked at once, and its thumbnail is in storage."""
    importing = Importing(entry("bob"), entry("afro"))
    assert await importing.run() == (["bob", "afro"], [], 0)
    assert importing.kept == [("bob", 1, 1), ("afro", 2, 1)]
    assert all(style.is_active for style in importing.styles.rows.kept.values())
    thumbnails = [importing.storage.pictures[style.thumbnail] for style in importing.styles.rows.kept.values()]
    assert thumbnails == [b"bob", b"afro"]


async def test_loading_the_same_catalogue_again_changes_nothing() -> None:
    importing = Importing(entry("bob"), entry("afro"))
    await importing.run()
    assert await importing.run() == ([], [], 2)
    assert importing.kept == [("bob", 1, 1), ("afro", 2, 1)]
    assert importing.audit.kept == [AuditNote("root", "style.import", "styles", None, {"added": 2, "changed": 0})]


@pytest.mark.parametrize("side", ["front", "right", "left", "back"])
async def test_another_prompt_is_another_version(side: str) -> None:
    """Try-ons that were accepted before keep theirs."""
    importing = Importing(entry("bob"))
    await importing.run()
    importing.catalogue.entries = [entry("bob", **{side: "other words"})]
    assert await importing.run() == ([], ["bob"], 0)
    assert importing.kept == [("bob", 1, 2)]
    assert len(importing.styles.rows.kept[1].prompts) == 2


@pytest.mark.parametrize(
    "change", [{"name": "Lob"}, {"description": "Longer."}, {"category": Category.CELEBRITY}, {"thumbnail": b"another"}]
)
async def test_what_customers_see_changes_in_place(change: dict[str, object]) -> None:
    """Without a new prompt version."""
    importing = Importing(entry("bob"))
    await importing.run()
    importing.catalogue.entries = [entry("bob", **change)]
    assert await importing.run() == ([], ["bob"], 0)
    assert importing.kept == [("bob", 1, 1)]


async def test_another_picture_has_another_address() -> None:
    """So that no cache goes on showing the old one, which stays for the pages that still name it."""
    importing = Importing(entry("bob"))
    await importing.run()
    importing.catalogue.entries = [entry("bob", thumbnail=b"another")]
    await importing.run()
    assert sorted(importing.storage.pictures.values()) == [b"another", b"bob"]


async def test_a_new_order_is_a_change() -> None:
    importing = Importing(entry("bob"), entry("afro"))
    await importing.run()
    importing.catalogue.entries.reverse()
    assert await importing.run() == ([], ["afro", "bob"], 0)


async def test_what_the_file_does_not_name_stays_as_it_is() -> None:
    """A style that somebody deactivated stays so, too."""
    importing = Importing(entry("bob"), entry("afro"))
    await importing.run()
    importing.styles.rows.kept[1].is_active = False
    importing.catalogue.entries = [entry("bob")]
    await importing.run()
    assert importing.kept == [("bob", 1, 1), ("afro", 2, 1)]
    assert not importing.styles.rows.kept[1].is_active


async def test_a_file_that_cannot_be_read_changes_nothing() -> None:
    importing = Importing(entry("bob"))
    importing.catalogue.fault = Invalid("validation_failed", "line 3")
    with pytest.raises(Invalid):
        await importing.run()
    assert (importing.kept, importing.storage.pictures) == ([], {})


async def test_without_storage_no_style_is_added() -> None:
    """A style whose picture nobody can see is not shown."""
    importing = Importing(entry("bob"))
    importing.storage.is_away = True
    with pytest.raises(Unavailable):
        await importing.run()
    assert importing.kept == []


async def test_only_operators_load_catalogues() -> None:
    importing = Importing(entry("bob"))
    with pytest.raises(Forbidden):
        await importing.run(Actor.user(1, session_id=1))
    assert importing.kept == []


async def test_a_style_can_be_added_that_customers_do_not_see_yet() -> None:
    """As the file says, or because it has no picture; an import says nothing of it once it is there."""
    importing = Importing(entry("bob", is_active=False), entry("afro", thumbnail=None))
    await importing.run()
    assert [style.is_active for style in importing.styles.rows.kept.values()] == [False, False]
    importing.styles.rows.kept[1].activate()
    assert await importing.run() == ([], [], 2)
    assert [style.is_active for style in importing.styles.rows.kept.values()] == [True, False]


async def test_a_style_without_a_picture_in_the_file_keeps_the_one_that_it_has() -> None:
    importing = Importing(entry("bob"))
    await importing.run()
    importing.catalogue.entries = [entry("bob", thumbnail=None)]
    assert await importing.run() == ([], [], 1)
