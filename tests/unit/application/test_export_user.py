"""Taking everything along: which files an export has, and that it never holds much of it."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from application.actor import Actor, Client
from application.auth.ports import SessionItem, SessionReader
from application.credits.ports import Balance, LedgerItem, LedgerReader
from application.images.list_uploads import ListUploads, ListUploadsHandler
from application.images.upload_ports import UploadReader, UploadRecord
from application.payments.ports import TransactionItem, TransactionReader
from application.users.belongings import Belongings, ExportedFile
from application.users.export_user import ExportUser, ExportUserHandler
from application.users.ports import (
    IdentityReader,
    IdentityRecord,
    Profile,
    ProfileReader,
    TryOnReader,
    TryOnRecord,
    ViewRecord,
)
from domain.credits import Cause
from domain.errors import NotFound, Unauthenticated, Unavailable
from domain.transactions import TransactionStatus
from domain.users import Role
from domain.views import Status, View, ViewError
from tests.fakes import InMemoryStorage
from tests.unit.factories import NOW

ADA = Actor.user(7, session_id=1)


class Purchases(TransactionReader):
    """Ada bought credits twice."""

    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[TransactionItem]:
        bought = [
            TransactionItem(
                number, f"cks_{number}", f"pay_{number}", 500, "USD", 5, TransactionStatus.SUCCEEDED, "card", NOW
            )
            for number in (2, 1)
        ]
        return [item for item in bought if owner == 7 and (before is None or item.id < before)][:limit]

    async def own(self, transaction_id: int, *, owner: int) -> TransactionItem | None:
        return next(
            (item for item in await self.latest(owner, before=None, limit=2) if item.id == transaction_id), None
        )


class Archive(ProfileReader, IdentityReader, SessionReader, LedgerReader):
    """Ada's records: as many ledger entries, uploads and try-ons as a test wants."""

    def __init__(self, *, entries: int = 0, uploads: int = 0, try_ons: int = 0, picture: str | None = None) -> None:
        self.storage = CountingStorage()
        self.key = picture
        self._entries = entries
        self.uploads = Uploads(uploads, self.storage)
        self.try_ons = TryOns(try_ons, self.storage)
        if picture:
            self.storage.pictures[picture] = b"Ada's face"
        self.belongings = Belongings(
            profiles=self,
            identities=self,
            sessions=self,
            ledger=self,
            transactions=Purchases(),
            uploads=self.uploads,
            try_ons=self.try_ons,
            storage=self.storage,
        )
        self.export = ExportUserHandler(belongings=self.belongings)

    async def profile(self, user_id: int) -> Profile | None:
        if user_id != 7:
            return None
        picture = f"https://pictures.test/{self.key}" if self.key else None
        return Profile(7, "ada@example.com", "Ada Žižková", picture, Role.CUSTOMER, True, None, 5, 1, NOW)

    async def picture(self, user_id: int) -> str | None:
        return self.key if user_id == 7 else None

    async def of_user(self, user_id: int) -> list[IdentityRecord]:
        return [IdentityRecord("https://accounts.google.com", "1234", NOW)] if user_id == 7 else []

    async def alive(self, user_id: int, *, current: int | None, before: int | None, limit: int) -> list[SessionItem]:
        return [
            SessionItem(session, "Firefox", "203.0.113.7", NOW, NOW, current=session == current)
            for session in _page(2, before, limit)
            if user_id == 7
        ]

    async def balance(self, user_id: int) -> Balance | None:
        raise AssertionError(f"an export tells the balance by the profile and the ledger: {user_id}")

    async def history(self, user_id: int, *, before: int | None, limit: int) -> list[LedgerItem]:
        return [
            LedgerItem(entry, 1, Cause.GRANT, None, entry, NOW)
            for entry in _page(self._entries, before, limit)
            if user_id == 7
        ]

    async def files(self) -> dict[str, bytes]:
        return {file.path: file.data async for file in await self.export(ExportUser(), ADA)}

    async def documents(self) -> dict[str, Any]:
        return {path: json.loads(data) for path, data in (await self.files()).items() if path.endswith(".json")}


class CountingStorage(InMemoryStorage):
    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    async def get(self, key: str, *, largest: int | None = None) -> bytes:
        self.fetched.append(key)
        return await super().get(key, largest=largest)


class Uploads(UploadReader):
    def __init__(self, count: int, storage: InMemoryStorage) -> None:
        self._count = count
        storage.pictures |= {f"uploads/{number}.jpg": b"photo %d" % number for number in range(1, count + 1)}

    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[UploadRecord]:
        return [
            UploadRecord(number, f"uploads/{number}.jpg", 600, 800, 7, NOW + timedelta(seconds=number))
            for number in _page(self._count, before, limit)
            if owner == 7
        ]

    async def distinct(self, owner: int, *, before: int | None, limit: int) -> list[UploadRecord]:
        return await self.latest(owner, before=before, limit=limit)


class TryOns(TryOnReader):
    """Of each, the front is there and the back has failed."""

    def __init__(self, count: int, storage: InMemoryStorage) -> None:
        self._count = count
        storage.pictures |= {f"images/{number}.jpg": b"front %d" % number for number in range(1, count + 1)}

    async def latest(self, owner: int, *, before: int | None, limit: int) -> list[TryOnRecord]:
        return [
            TryOnRecord(number, 1, "Bob", Status.COMPLETED, False, NOW, self._views(number))
            for number in _page(self._count, before, limit)
            if owner == 7
        ]

    def _views(self, number: int) -> list[ViewRecord]:
        return [
            ViewRecord(View.FRONT, Status.COMPLETED, None, f"images/{number}.jpg", NOW, NOW),
            ViewRecord(View.BACK, Status.FAILED, ViewError.PROVIDER_TIMEOUT, None, NOW, NOW),
        ]


def _page(count: int, before: int | None, limit: int) -> range:
    newest = count if before is None else min(count, before - 1)
    return range(newest, max(0, newest - limit), -1)


async def test_everything_is_taken_along_as_records_and_files() -> None:
    archive = Archive(entries=2, uploads=1, try_ons=2, picture="pictures/profile/x.jpg")
    files = await archive.files()
    assert list(files) == [
        "pictures/profile.jpg",
        "profile.json",
        "identities.json",
        "sessions.json",
        "ledger.json",
        "transactions.json",
        "pictures/uploads/1.jpg",
        "uploads.json",
        "pictures/images/2-front.jpg",
        "pictures/images/1-front.jpg",
        "images.json",
    ]
    assert files["pictures/profile.jpg"] == b"Ada's face"
    assert files["pictures/uploads/1.jpg"] == b"photo 1"
    assert files["pictures/images/2-front.jpg"] == b"front 2"


async def test_records_name_the_files_and_no_address_that_ends_with_its_session() -> None:
    documents = await Archive(entries=1, uploads=1, try_ons=1, picture="pictures/profile/x.jpg").documents()
    assert documents["profile.json"]["profile_picture"] == "pictures/profile.jpg"
    assert [entry["amount"] for entry in documents["ledger.json"]] == [1]
    assert [bought["payment_id"] for bought in documents["transactions.json"]] == ["pay_2", "pay_1"]
    assert documents["uploads.json"] == [
        {
            "id": 1,
            "file": "pictures/uploads/1.jpg",
            "width": 600,
            "height": 800,
            "size": 7,
            "created_at": "2025-05-03T12:00:01Z",
        }
    ]
    (image,) = documents["images.json"]
    assert (image["input_file"], image["style"]) == ("pictures/uploads/1.jpg", "Bob")
    assert [(view["view"], view["file"], view["error"]) for view in image["views"]] == [
        ("front", "pictures/images/1-front.jpg", None),
        ("back", None, "provider_timeout"),
    ]
    assert documents.pop("identities.json") == [
        {"issuer": "https://accounts.google.com", "subject": "1234", "created_at": "2025-05-03T12:00:00Z"}
    ]
    assert [(session["id"], session["current"]) for session in documents["sessions.json"]] == [(2, False), (1, True)]
    assert "https://" not in json.dumps(documents)


async def test_records_are_made_to_be_read_by_people() -> None:
    """Indented, in UTF-8, always in the same order, and with a line's end at the end."""
    first, second = Archive(entries=3, picture=None), Archive(entries=3, picture=None)
    files = await first.files()
    assert files == await second.files()
    assert files["profile.json"].decode().startswith('{\n  "id": 7,\n  "email": "ada@example.com",\n')
    assert "Ada Žižková" in files["profile.json"].decode()
    assert files["ledger.json"].startswith(b'[\n  {\n    "id": 3,\n')
    assert all(data.endswith(b"\n") for data in files.values())


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
async def test_lists_are_whole_however_long(count: int) -> None:
    """Pages meet without a gap or a repetition."""
    documents = await Archive(entries=count, uploads=count, try_ons=count).documents()
    for name in ("ledger.json", "uploads.json", "images.json"):
        assert [record["id"] for record in documents[name]] == list(range(count, 0, -1)), name


async def test_a_picture_that_is_gone_is_named_and_left_out() -> None:
    archive = Archive(uploads=2, try_ons=1, picture="pictures/profile/x.jpg")
    for key in ("pictures/profile/x.jpg", "uploads/2.jpg", "images/1.jpg"):
        del archive.storage.pictures[key]
    files = await archive.files()
    assert files["missing.txt"].decode().splitlines() == [
        "pictures/profile.jpg",
        "pictures/uploads/2.jpg",
        "pictures/images/1-front.jpg",
    ]
    assert [path for path in files if path.endswith(".jpg")] == ["pictures/uploads/1.jpg"]


async def test_pictures_are_fetched_one_by_one_as_they_are_taken() -> None:
    """Whoever reads slowly makes nobody hold more than one."""
    archive = Archive(uploads=5)
    taken = 0
    async for file in await archive.export(ExportUser(), ADA):
        taken += file.path.endswith(".jpg")
        assert len(archive.storage.fetched) == taken


async def test_storage_that_is_away_is_told_before_the_first_file() -> None:
    archive = Archive(uploads=1)
    archive.storage.is_away = True
    with pytest.raises(Unavailable):
        await archive.export(ExportUser(), ADA)


async def test_storage_that_goes_away_ends_the_export() -> None:
    """A picture that could not be fetched just then is not called missing."""
    archive = Archive(uploads=3)
    files: AsyncIterator[ExportedFile] = await archive.export(ExportUser(), ADA)
    while (await anext(files)).path != "pictures/uploads/3.jpg":
        pass
    archive.storage.is_away = True
    with pytest.raises(Unavailable):
        await anext(files)


async def test_nobody_exports_what_is_not_theirs() -> None:
    archive = Archive(uploads=1)
    with pytest.raises(Unauthenticated):
        await archive.export(ExportUser(), Actor.anonymous(Client()))
    with pytest.raises(NotFound):
        await archive.export(ExportUser(), Actor.user(8, session_id=1))


@pytest.mark.parametrize(("limit", "pages"), [(1, 5), (2, 3), (4, 2), (5, 1), (100, 1)])
async def test_uploads_are_listed_page_by_page_newest_first(limit: int, pages: int) -> None:
    """To the end and no further, each under the address that a try-on is asked for with."""
    archive = Archive(uploads=5)
    listed = ListUploadsHandler(uploads=archive.uploads, storage=archive.storage)
    found, cursor = [], None
    for _ in range(pages):
        page = await listed(ListUploads(limit, cursor), ADA)
        found += [item.image_input_url for item in page.items]
        cursor = page.next_cursor
    assert found == [f"https://pictures.test/uploads/{number}.jpg" for number in (5, 4, 3, 2, 1)]
    assert cursor is None
    with pytest.raises(Unauthenticated):
        await listed(ListUploads(), Actor.anonymous(Client()))
