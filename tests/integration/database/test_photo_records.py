"""What records of photos promise, asked of those in memory and of those in the database: which try-on lends, which
files are expected, and when a photo is needed no more."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Protocol

import pytest

from application.images.acceptances import Acceptances
from application.images.materials import TryOnMaterials
from application.images.ports import ImageRepository
from application.images.upload_ports import EXPECTED_LIFE, DirectUpload, ExpectedFiles, UploadRepository
from application.ports import UnitOfWork
from domain.images import GeneratedImage
from domain.uploads import Upload
from domain.views import Output, RenderPolicy, Status, View
from tests.in_memory import InMemoryAccounts, InMemoryOutbox, Transaction
from tests.integration.database.stage import Stage
from tests.unit.application.expected import InMemoryExpectedFiles
from tests.unit.application.records import (
    InMemoryAcceptances,
    InMemoryImages,
    InMemoryMaterials,
    InMemoryStyles,
    InMemoryUploads,
)
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
    def materials(self) -> TryOnMaterials: ...

    @property
    def acceptances(self) -> Acceptances: ...

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
    materials: InMemoryMaterials
    acceptances: InMemoryAcceptances
    expected: InMemoryExpectedFiles


class ArchiveInMemory(Archive):
    def __init__(self) -> None:
        transaction = Transaction(NOW)
        uploads, images = InMemoryUploads(transaction), InMemoryImages(transaction)
        uploads.images = images
        materials = InMemoryMaterials(InMemoryStyles(transaction), uploads, images)
        accounts, outbox = InMemoryAccounts(transaction), InMemoryOutbox(transaction)
        acceptances = InMemoryAcceptances(transaction, images, uploads, accounts, outbox)
        expected = InMemoryExpectedFiles(transaction)
        self._records = RecordsInMemory(transaction, uploads, images, materials, acceptances, expected)
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


async def tried_on(archive: Archive, photo: Upload, style: int, *sides: View, front: Status = Status.COMPLETED) -> int:
    """A try-on whose front has come so far, and whose sides are there; returns its id."""
    async with archive.open() as records:
        now = await records.uow.now()
        image = GeneratedImage.request(
            owner=photo.user_id,
            style=(style, 1),
            upload_id=photo.id,
            views=(View.FRONT, *sides),
            folder=secrets.token_urlsafe(24),
            now=now,
            policy=POLICY,
        )
        assert await records.acceptances.accept(image, held=[], announced=[], lender=None, request=None)
        stored = await records.images.by_id(image.id)
        assert stored is not None
        if front is Status.COMPLETED:
            for render in stored.views:
                stored.claim_submit(render, now, POLICY)
                assert render.prediction_ended(1, "p1", {"id": "p1", "status": "succeeded"}, now)
                claim = render.claim_finish(now, POLICY)
                assert claim is not None
                stored.complete(render, claim, Output(stored.output_key(render), 640, 800), now)
        elif front is Status.CANCELLED:
            stored.cancel(now)
        assert stored.front.status is front
        await records.uow.commit()
        return stored.id


async def delete(archive: Archive, image_id: int) -> None:
    async with archive.open() as records:
        image = await records.images.by_id(image_id)
        assert image is not None
        image.delete(await records.uow.now())
        await records.uow.commit()


# Lending


async def lent(
    archive: Archive, owner: int, style: tuple[int, int], digest: bytes = DIGEST, views: Sequence[View] = (View.FRONT,)
) -> dict[View, str]:
    """The keys of what can be had again."""
    async with archive.open() as records:
        loan = await records.materials.loan(owner, style=style, digest=digest, views=views)
        return {view: output.key for view, output in loan.outputs.items()} if loan else {}


async def front(archive: Archive, image_id: int) -> dict[View, str]:
    """What it lends to whoever wants the front."""
    async with archive.open() as records:
        image = await records.images.by_id(image_id)
        assert image is not None
        assert image.front.output_key is not None
        return {View.FRONT: image.front.output_key}


async def test_the_latest_try_on_lends(archive: Archive) -> None:
    """Whichever of several uploads of the photo it was made from."""
    owner, style = await archive.user(), await archive.style()
    assert await lent(archive, owner, (style, 1)) == {}
    for _ in range(2):
        latest = await tried_on(archive, await uploaded(archive, owner), style)
        assert await lent(archive, owner, (style, 1)) == await front(archive, latest)


async def test_the_one_that_has_most_of_what_is_wanted_lends(archive: Archive) -> None:
    """All of it comes from that one, an older one if need be; views that nobody asked for count for nothing."""
    owner, style = await archive.user(), await archive.style()
    photo = await uploaded(archive, owner)
    both = await tried_on(archive, photo, style, View.LEFT)
    other = await tried_on(archive, photo, style, View.BACK)
    alone = await tried_on(archive, photo, style)
    wanted = {
        (View.FRONT,): (alone, {View.FRONT}),
        (View.FRONT, View.RIGHT): (alone, {View.FRONT}),
        (View.FRONT, View.LEFT): (both, {View.FRONT, View.LEFT}),
        (View.FRONT, View.LEFT, View.BACK): (other, {View.FRONT, View.BACK}),
    }
    for views, (lender, those) in wanted.items():
        outputs = await lent(archive, owner, (style, 1), views=views)
        assert set(outputs) == those
        assert outputs[View.FRONT] == (await front(archive, lender))[View.FRONT]


async def test_only_the_same_lends(archive: Archive) -> None:
    """Not another photo, hairstyle, prompt version or customer's."""
    ada, bob, style, other = [await archive.user() for _ in range(2)] + [await archive.style() for _ in range(2)]
    assert await tried_on(archive, await uploaded(archive, ada), style)
    assert await lent(archive, ada, (style, 1), OTHER) == {}
    assert await lent(archive, ada, (other, 1)) == {}
    assert await lent(archive, ada, (style, 2)) == {}
    assert await uploaded(archive, bob)
    assert await lent(archive, bob, (style, 1)) == {}


@pytest.mark.parametrize("status", [Status.PENDING, Status.CANCELLED])
async def test_without_its_front_a_try_on_lends_nothing(archive: Archive, status: Status) -> None:
    """It stands in no older one's way either."""
    owner, style = await archive.user(), await archive.style()
    photo = await uploaded(archive, owner)
    await tried_on(archive, photo, style, front=status)
    assert await lent(archive, owner, (style, 1)) == {}
    older = await tried_on(archive, photo, style)
    await tried_on(archive, photo, style, front=status)
    assert await lent(archive, owner, (style, 1)) == await front(archive, older)


async def test_a_deleted_try_on_lends_nothing(archive: Archive) -> None:
    owner, style = await archive.user(), await archive.style()
    photo = await uploaded(archive, owner)
    older, newer = [await tried_on(archive, photo, style) for _ in range(2)]
    await delete(archive, newer)
    assert await lent(archive, owner, (style, 1)) == await front(archive, older)
    await delete(archive, older)
    assert await lent(archive, owner, (style, 1)) == {}


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
