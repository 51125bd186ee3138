"""Copying the picture that a provider shows of somebody."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from application.actor import Actor
from application.auth.ports import ProviderIdentity
from application.events import PictureDiscarded, ProfilePictureOffered
from application.images.new_files import NewFiles
from application.images.ports import BadOutput, OutputUnavailable, Picture, PictureProcessor
from application.users.copy_profile_picture import CopyProfilePictureHandler
from domain.errors import Unavailable, Unprocessable
from domain.users import User
from tests.factories import UserFactory
from tests.fakes import FakeDownloads, InMemoryStorage
from tests.in_memory import InMemoryAccounts, InMemoryOutbox, Transaction
from tests.unit.application.expected import InMemoryExpectedFiles
from tests.unit.application.records import InMemoryIdentities, InMemoryUsers

URL = "https://lh3.googleusercontent.com/a/ada=s96-c"
WORKER = Actor.system("worker")


class WatchedDownloads(FakeDownloads):
    def __init__(self, transaction: Transaction) -> None:
        super().__init__(b"sent")
        self._transaction = transaction
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def fetch(self, url: str) -> bytes:
        assert not self._transaction.is_open, "a picture is fetched inside a transaction"
        if self.meanwhile is not None:
            await self.meanwhile()
        return await super().fetch(url)


class FakePictures(PictureProcessor):
    def __init__(self) -> None:
        self.is_readable = True

    async def normalise(self, data: bytes, *, max_side: int = 2048, min_side: int = 256) -> Picture:
        raise AssertionError(f"a profile picture is a square: {data!r}, {max_side}, {min_side}")

    async def square(self, data: bytes, *, side: int, min_side: int) -> Picture:
        assert (data, side, min_side) == (b"sent", 512, 1)
        if not self.is_readable:
            raise Unprocessable("image_unreadable", "no picture")
        return Picture(data=b"kept", width=side, height=side)


@dataclass
class Studio:
    uow: Transaction = field(default_factory=lambda: Transaction(datetime(2026, 11, 1, tzinfo=UTC)))

    def __post_init__(self) -> None:
        self.users = InMemoryUsers(self.uow, InMemoryAccounts(self.uow))
        self.identities = InMemoryIdentities(self.uow)
        self.downloads = WatchedDownloads(self.uow)
        self.pictures = FakePictures()
        self.storage = InMemoryStorage()
        self.outbox = InMemoryOutbox(self.uow)
        self.expected = InMemoryExpectedFiles(self.uow)
        self.copy = CopyProfilePictureHandler(
            users=self.users,
            identities=self.identities,
            downloads=self.downloads,
            pictures=self.pictures,
            files=NewFiles(expected=self.expected, storage=self.storage, outbox=self.outbox, uow=self.uow),
            uow=self.uow,
        )

    async def somebody(self, url: str | None = URL, picture: str | None = None) -> User:
        user = UserFactory.build(profile_picture=picture)
        await self.users.add(user)
        await self.uow.flush()
        await self.identities.add(
            user.id, ProviderIdentity("https://provider.test", "1", picture_url=url), self.uow.time
        )
        await self.uow.commit()
        return user


async def test_the_copy_is_shown() -> None:
    """Stored under a key that nobody guesses; running the job again changes nothing."""
    studio = Studio()
    user = await studio.somebody()
    for _ in range(2):
        await studio.copy(ProfilePictureOffered(user.id), WORKER)
    assert user.profile_picture is not None
    assert studio.storage.pictures == {user.profile_picture: b"kept"}
    assert studio.downloads.fetched == [URL]


@pytest.mark.parametrize(("url", "picture"), [(None, None), (URL, "pictures/profile/own.jpg")])
async def test_where_there_is_nothing_to_do_nothing_is_fetched(url: str | None, picture: str | None) -> None:
    studio = Studio()
    user = await studio.somebody(url, picture)
    await studio.copy(ProfilePictureOffered(user.id), WORKER)
    await studio.copy(ProfilePictureOffered(user.id + 1), WORKER)
    assert (studio.downloads.fetched, user.profile_picture) == ([], picture)


async def test_a_picture_that_will_never_be_one_is_done_without() -> None:
    studio = Studio()
    user = await studio.somebody()
    studio.downloads.troubles = [BadOutput("not from there")]
    await studio.copy(ProfilePictureOffered(user.id), WORKER)
    studio.pictures.is_readable = False
    await studio.copy(ProfilePictureOffered(user.id), WORKER)
    assert (user.profile_picture, studio.storage.pictures) == (None, {})


async def test_what_may_pass_is_tried_again() -> None:
    studio = Studio()
    user = await studio.somebody()
    studio.downloads.troubles = [OutputUnavailable("away")]
    studio.storage.is_away = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            await studio.copy(ProfilePictureOffered(user.id), WORKER)
    studio.storage.is_away = False
    await studio.copy(ProfilePictureOffered(user.id), WORKER)
    assert user.profile_picture in studio.storage.pictures


@pytest.mark.parametrize("what", ["chose", "left"])
async def test_somebody_who_chose_a_picture_or_left_meanwhile_is_left_alone(what: str) -> None:
    """And the file does not stay behind."""
    studio = Studio()
    user = await studio.somebody()

    async def meanwhile() -> None:
        if what == "chose":
            user.profile_picture = "pictures/profile/own.jpg"
        else:
            user.deleted_at = studio.uow.time

    studio.downloads.meanwhile = meanwhile
    await studio.copy(ProfilePictureOffered(user.id), WORKER)
    assert user.profile_picture == ("pictures/profile/own.jpg" if what == "chose" else None)
    assert studio.outbox.events == [PictureDiscarded(key) for key in studio.storage.pictures]
    assert len(studio.storage.pictures) == 1
    assert studio.expected.kept == {}
