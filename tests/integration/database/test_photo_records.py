"""What records of photos promise, asked of those in memory and of those in the database: which try-on lends, which
files are expected, and when a photo is needed no more."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Protocol

import pytest

from application.images.ports import ImageRepository
from application.images.upload_ports import EXPECTED_LIFE, DirectUpload, ExpectedFiles, UploadRepository
from application.ports import UnitOfWork
from domain.images import GeneratedImage
from domain.uploads import Upload
from domain.views import Output, RenderPolicy, Status, View
from tests.in_memory import Transaction
from tests.integration.database.stage import Stage
from tests.unit.application.expected import InMemoryExpectedFiles
from tests.unit.application.records import InMemoryImages, InMemoryUploads
from tests.unit.factories import NOW, UploadFactory

MINUTE = timedelta(minutes=1)
DIGEST, OTHER = b"d" * 32, b"x" * 32
POLICY = RenderPolicy()


class Records(Protocol):
    """What one transaction works with."""

    @property
    def uow(self) -> UnitOfWork: ...

    @property
    def uploads(self) -> UploadRepository: ...

    @property
    def images(self) -> ImageRepository: ...

    @property
    def expected(self) -> ExpectedFiles: ...


class Archive(Protocol):
    """Records that are opened for a transaction; what it does not commit has not happened."""

    def open(self) -> AbstractAsyncContextManager[Records]: ...

    async def user(self) -> int: ...

    async def style(self) -> int: ...

    async def pass_time(self, time: timedelta) -> None:
        """As far as expected files are concerned."""
        ...


@dataclass
class RecordsInMemory:
    uow: Transaction
    uploads: InMemoryUploads
    images: InMemoryImages
    expected: InMemoryExpectedFiles


class ArchiveInMemory(Archive):
    def __init__(self) -> None:
        transaction = Transaction(NOW)
        uploads, images = InMemoryUploads(transaction), InMemoryImages(transaction)
        uploads.images, images.uploads = images, uploads
        self._records = RecordsInMemory(transaction, uploads, images, InMemoryExpectedFiles(transaction))
        self._ids = count(1)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Records]:
        yield self._records
        self._records.uow.abandon()

    async def user(self) -> int:
        return next(self._ids)

    async def style(self) -> int:
        return next(self._ids)

    async def pass_time(self, time: timedelta) -> None:
        self._records.uow.time += time


class ArchiveInPostgres(Archive):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def open(self) -> AbstractAsyncContextManager[Records]:
        return self._stage.desk()

    async def user(self) -> int:
        return (await self._stage.user()).id

    async def style(self) -> int:
        return (await self._stage.style()).id

    async def pass_time(self, time: timedelta) -> None:
        await self._stage.database.execute("UPDATE expected_files SET created_at = created_at - $1::interval", time)


@pytest.fixture
def memory() -> Archive:
    return ArchiveInMemory()


@pytest.fixture
def postgres(stage: Stage) -> Archive:
    return ArchiveInPostgres(stage)


@pytest.fixture(params=["memory", "postgres"])
def archive(request: pytest.FixtureRequest) -> Archive:
    found: Archive = request.getfixturevalue(request.param)
    return found


async def uploaded(archive: Archive, owner: int, digest: bytes = DIGEST) -> Upload:
    upload = UploadFactory.build(user_id=owner, digest=digest)
    async with archive.open() as records:
        await records.uploads.add(upload)
        await records.uow.commit()
    return upload


async def tried_on(archive: Archive, photo: Upload, style: int, *, front: Status = Status.COMPLETED) -> int:
    """A try-on whose front has come so far; returns its id."""
    async with archive.open() as records:
        now = await records.uow.now()
        image = GeneratedImage.request(
            owner=photo.user_id,
            style=(style, 1),
            upload_id=photo.id,
            views=(View.FRONT,),
            folder="folder",
            now=now,
            policy=POLICY,
        )
        await records.images.add(image)
        if front is Status.COMPLETED:
            assert image.claim_submit(image.front, now, POLICY)
            assert image.prediction_ended(image.front, 1, "p1", {"id": "p1", "status": "succeeded"}, now)
            claim = image.claim_finish(image.front, now, POLICY)
            assert claim is not None
            image.complete(image.front, claim, Output(image.output_key(image.front), 640, 800), now)
        elif front is Status.CANCELLED:
            image.cancel(now)
        assert image.front.status is front
        await records.uow.commit()
        return image.id


async def delete(archive: Archive, image_id: int) -> None:
    async with archive.open() as records:
        image = await records.images.by_id(image_id)
        assert image is not None
        image.delete(await records.uow.now())
        await records.uow.commit()


# Lending


async def lender(archive: Archive, owner: int, style: tuple[int, int], digest: bytes = DIGEST) -> int | None:
    async with archive.open() as records:
        image = await records.images.lender(owner, digest=digest, style=style)
        return image.id if image else None


async def test_the_latest_try_on_lends(archive: Archive) -> None:
    """Whichever of several uploads of the photo it was made from."""
    owner, style = await archive.user(), await archive.style()
    assert await lender(archive, owner, (style, 1)) is None
    for _ in range(2):
        latest = await tried_on(archive, await uploaded(archive, owner), style)
        assert await lender(archive, owner, (style, 1)) == latest


async def test_only_the_same_lends(archive: Archive) -> None:
    """Not another photo, hairstyle, prompt version or customer's."""
    ada, bob, style, other = [await archive.user() for _ in range(2)] + [await archive.style() for _ in range(2)]
    assert await tried_on(archive, await uploaded(archive, ada), style)
    assert await lender(archive, ada, (style, 1), OTHER) is None
    assert await lender(archive, ada, (other, 1)) is None
    assert await lender(archive, ada, (style, 2)) is None
    assert await uploaded(archive, bob)
    assert await lender(archive, bob, (style, 1)) is None


@pytest.mark.parametrize("front", [Status.PENDING, Status.CANCELLED])
async def test_without_its_front_a_try_on_lends_nothing(archive: Archive, front: Status) -> None:
    """It stands in no older one's way either."""
    owner, style = await archive.user(), await archive.style()
    photo = await uploaded(archive, owner)
    await tried_on(archive, photo, style, front=front)
    assert await lender(archive, owner, (style, 1)) is None
    older = await tried_on(archive, photo, style)
    await tried_on(archive, photo, style, front=front)
    assert await lender(archive, owner, (style, 1)) == older


async def test_a_deleted_try_on_lends_nothing(archive: Archive) -> None:
    owner, style = await archive.user(), await archive.style()
    photo = await uploaded(archive, owner)
    older, newer = [await tried_on(archive, photo, style) for _ in range(2)]
    await delete(archive, newer)
    assert await lender(archive, owner, (style, 1)) == older
    await delete(archive, older)
    assert await lender(archive, owner, (style, 1)) is None


# Photos


async def test_a_photo_goes_with_the_last_try_on_that_has_it(archive: Archive) -> None:
    """It can be picked no more, and what is left of its try-ons names it no more."""
    owner, style = await archive.user(), await archive.style()
    photo = await uploaded(archive, owner)
    one, other = [await tried_on(archive, photo, style) for _ in range(2)]
    for image_id, gone in ((one, None), (other, photo.key)):
        await delete(archive, image_id)
        async with archive.open() as records:
            assert await records.uploads.sweep(photo.id) == gone
            await records.uow.commit()
    async with archive.open() as records:
        assert await records.uploads.sweep(photo.id) is None
        assert await records.uploads.by_key(photo.key, owner=owner) is None
        for image_id in (one, other):
            image = await records.images.by_id(image_id)
            assert image is not None
            assert image.upload_id is None


async def test_a_photo_without_try_ons_is_swept(archive: Archive) -> None:
    """And no other."""
    owner = await archive.user()
    photo, other = await uploaded(archive, owner), await uploaded(archive, owner)
    async with archive.open() as records:
        assert await records.uploads.sweep(photo.id) == photo.key
        await records.uow.commit()
    async with archive.open() as records:
        assert await records.uploads.by_key(other.key, owner=owner)


# Expected files


async def announce(archive: Archive, owner: int, *keys: str) -> None:
    async with archive.open() as records:
        for key in keys:
            await records.expected.add(key, owner=owner)
        await records.uow.commit()


async def complete(archive: Archive, key: str, upload_key: str) -> None:
    async with archive.open() as records:
        await records.expected.complete(key, upload_key=upload_key)
        await records.uow.commit()


async def direct(archive: Archive, key: str, owner: int) -> DirectUpload | None:
    async with archive.open() as records:
        return await records.expected.direct(key, owner=owner)


async def test_an_expected_file_is_taken_away_once(archive: Archive) -> None:
    await announce(archive, await archive.user(), "uploads/one.jpg")
    async with archive.open() as records:
        assert [await records.expected.remove("uploads/one.jpg") for _ in range(2)] == [True, False]
        await records.uow.commit()
    async with archive.open() as records:
        assert not await records.expected.remove("uploads/one.jpg")


async def test_a_direct_upload_is_its_owners_for_a_day(archive: Archive) -> None:
    ada, bob = await archive.user(), await archive.user()
    await announce(archive, ada, "incoming/a")
    await archive.pass_time(EXPECTED_LIFE - MINUTE)
    assert await direct(archive, "incoming/a", ada) == DirectUpload(None)
    assert await direct(archive, "incoming/a", bob) is None
    assert await direct(archive, "incoming/b", ada) is None
    await archive.pass_time(2 * MINUTE)
    assert await direct(archive, "incoming/a", ada) is None


@pytest.mark.parametrize("became", ["uploads/one.jpg", ""])
async def test_what_became_of_a_direct_upload_is_noted_once(archive: Archive, became: str) -> None:
    """It stays expected all the same."""
    owner = await archive.user()
    await announce(archive, owner, "incoming/a")
    for upload_key in (became, "uploads/other.jpg"):
        await complete(archive, "incoming/a", upload_key)
        assert await direct(archive, "incoming/a", owner) == DirectUpload(became)
    async with archive.open() as records:
        assert await records.expected.remove("incoming/a")


async def test_unfinished_uploads_are_told_oldest_first(archive: Archive) -> None:
    """One's own, with those of this very transaction, without those that are completed or came through us."""
    ada, bob = await archive.user(), await archive.user()
    for key in ("incoming/a", "incoming/b", "uploads/x.jpg", "incoming/c"):
        await announce(archive, ada, key)
        await archive.pass_time(MINUTE)
    await announce(archive, bob, "incoming/d")
    await complete(archive, "incoming/b", "uploads/one.jpg")
    async with archive.open() as records:
        await records.expected.add("incoming/e", owner=ada)
        begun, now = await records.expected.unfinished(ada), await records.uow.now()
    assert [round((now - each) / MINUTE) for each in begun] == [4, 1, 0]
