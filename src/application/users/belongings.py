from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from msgspec import Struct, json
from msgspec.structs import replace

from application.auth.ports import SessionReader
from application.credits.ports import LedgerReader
from application.images.ports import PictureStorage
from application.images.upload_ports import UploadReader, UploadRecord
from application.pages import Numbered
from application.payments.ports import TransactionReader
from application.users.account import read_profile
from application.users.ports import IdentityReader, Profile, ProfileReader, TryOnReader, TryOnRecord, ViewRecord
from domain.errors import NotFound
from domain.views import Status, View, ViewError

_RECORDS_AT_ONCE = 100
_PROFILE_PICTURE = "pictures/profile.jpg"


class ExportedFile(Struct, frozen=True):
    path: str
    """Relative, of letters, digits, dots, dashes and slashes."""
    data: bytes


class ExportedUpload(Struct, frozen=True):
    id: int
    file: str
    width: int
    height: int
    size: int
    created_at: datetime


class ExportedView(Struct, frozen=True):
    view: View
    status: Status
    error: ViewError | None
    file: str | None
    accepted_at: datetime
    finished_at: datetime | None


class ExportedImage(Struct, frozen=True):
    id: int
    style: str
    status: Status
    is_favourite: bool
    created_at: datetime
    input_file: str
    views: list[ExportedView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Everything that is kept about a customer, to take along: records as JSON, pictures as files, one by one.

    Whoever reads slowly keeps neither a connection nor more than one picture: all is read when it is its turn. A
    picture that is not in storage any more is left out, and named in a list of its own. Storage that is away when the
    export begins is `Unavailable` at once; later, it is so in the midst of the files.
    """

    profiles: ProfileReader
    identities: IdentityReader
    sessions: SessionReader
    ledger: LedgerReader
    transactions: TransactionReader
    uploads: UploadReader
    try_ons: TryOnReader
    storage: PictureStorage

    async def of(self, user_id: int, *, session_id: int | None) -> AsyncIterator[ExportedFile]:
        """The files; `session_id` is the session that asks, which is marked among the others."""
        profile = await read_profile(self.profiles, user_id)
        await self.storage.ping()
        return self._files(profile, session_id)

    async def _files(self, profile: Profile, current: int | None) -> AsyncIterator[ExportedFile]:
        owner = profile.id
        missing: list[str] = []

        key = await self.profiles.picture(owner)
        async for picture in self._pictures([(_PROFILE_PICTURE, key)], missing):
            yield picture
        shown = replace(profile, profile_picture=_PROFILE_PICTURE if key else None)
        yield ExportedFile("profile.json", _pretty(shown) + b"\n")

        yield ExportedFile("identities.json", _pretty(await self.identities.of_user(owner)) + b"\n")

        sessions = _JsonList()
        async for alive in _pages(
            lambda before: self.sessions.alive(owner, current=current, before=before, limit=_RECORDS_AT_ONCE)
        ):
            sessions.add(alive)
        yield ExportedFile("sessions.json", sessions.text())

        entries = _JsonList()
        async for page in _pages(lambda before: self.ledger.history(owner, before=before, limit=_RECORDS_AT_ONCE)):
            entries.add(page)
        yield ExportedFile("ledger.json", entries.text())

        purchases = _JsonList()
        async for bought in _pages(
            lambda before: self.transactions.latest(owner, before=before, limit=_RECORDS_AT_ONCE)
        ):
            purchases.add(bought)
        yield ExportedFile("transactions.json", purchases.text())

        uploads = _JsonList()
        async for photos in _pages(lambda before: self.uploads.latest(owner, before=before, limit=_RECORDS_AT_ONCE)):
            uploads.add([_upload(photo) for photo in photos])
            async for picture in self._pictures([(_upload_file(photo.id), photo.key) for photo in photos], missing):
                yield picture
        yield ExportedFile("uploads.json", uploads.text())

        images = _JsonList()
        async for records in _pages(lambda before: self.try_ons.latest(owner, before=before, limit=_RECORDS_AT_ONCE)):
            images.add([_image(record) for record in records])
            outputs = [(_view_file(record, view), view.key) for record in records for view in record.views]
            async for picture in self._pictures(outputs, missing):
                yield picture
        yield ExportedFile("images.json", images.text())

        if missing:
            yield ExportedFile("missing.txt", "".join(f"{path}\n" for path in missing).encode())

    async def _pictures(
        self, wanted: Iterable[tuple[str, str | None]], missing: list[str]
    ) -> AsyncIterator[ExportedFile]:
        for path, key in wanted:
            if key is None:
                continue
            try:
                data = await self.storage.get(key)
            except NotFound:
                missing.append(path)
            else:
                yield ExportedFile(path, data)


_Record = TypeVar("_Record", bound=Numbered)


async def _pages(read: Callable[[int | None], Awaitable[list[_Record]]]) -> AsyncIterator[list[_Record]]:
    before = None
    while page := await read(before):
        yield page
        before = page[-1].id


@dataclass(slots=True)
class _JsonList:
    """A list in JSON, written page by page: a long one costs neither much memory nor a long moment."""

    _pages: list[bytes] = field(default_factory=list)

    def add(self, records: Sequence[Struct]) -> None:
        self._pages.append(_pretty(records).removeprefix(b"[\n").removesuffix(b"\n]"))

    def text(self) -> bytes:
        return b"[\n" + b",\n".join(self._pages) + b"\n]\n" if self._pages else b"[]\n"


def _pretty(value: object) -> bytes:
    return json.format(json.encode(value), indent=2)


def _upload_file(upload_id: int) -> str:
    return f"pictures/uploads/{upload_id}.jpg"


def _view_file(record: TryOnRecord, view: ViewRecord) -> str:
    return f"pictures/images/{record.id}-{view.view}.jpg"


def _upload(record: UploadRecord) -> ExportedUpload:
    return ExportedUpload(
        record.id, _upload_file(record.id), record.width, record.height, record.size, record.created_at
    )


def _image(record: TryOnRecord) -> ExportedImage:
    views = [
        ExportedView(
            view.view,
            view.status,
            view.error,
            _view_file(record, view) if view.key else None,
            view.accepted_at,
            view.finished_at,
        )
        for view in record.views
    ]
    return ExportedImage(
        record.id,
        record.style,
        record.status,
        record.is_favourite,
        record.created_at,
        _upload_file(record.upload_id),
        views,
    )
