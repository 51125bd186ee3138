"""Photos that go straight to storage: begun, completed, completed again, refused, forgotten."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from application.actor import Actor
from application.events import PictureDiscarded
from application.images.begin_upload import (
    FORM_LIFE,
    MOST_OPEN,
    MOST_UNFINISHED,
    BeginUpload,
    BeginUploadHandler,
    UploadBegun,
)
from application.images.complete_upload import CompleteUpload, CompleteUploadHandler
from application.images.ports import Picture
from application.images.turns import Turns
from application.images.upload_photo import UploadedPhoto
from domain.errors import Conflict, Failure, NotFound, Throttled, TooLarge, Unavailable, Unprocessable
from domain.uploads import LARGEST_UPLOAD, new_incoming_key, upload_key_in
from tests.factories import UserFactory
from tests.unit.application.records import InMemoryUsers
from tests.unit.application.rendering import BROKEN, CUSTOMER, Studio

ADA, BOB = Actor.user(CUSTOMER, session_id=1), Actor.user(8, session_id=2)


@dataclass
class Counter:
    """Where direct uploads are begun and completed."""

    studio: Studio
    users: InMemoryUsers
    begin: BeginUploadHandler
    complete: CompleteUploadHandler

    async def sent(self, data: bytes = b"a photo") -> UploadBegun:
        """A form, and the file that was sent with it."""
        begun = await self.begin(BeginUpload(), ADA)
        self.studio.storage.pictures[begun.key] = data
        return begun


@pytest.fixture
async def counter() -> Counter:
    studio = await Studio.with_credits(0)
    studio.uploads.rows.kept.clear()
    studio.storage.pictures.clear()
    users = InMemoryUsers(studio.uow, studio.accounts)
    for user_id in (CUSTOMER, 8):
        user = UserFactory.build()
        user.id = user_id
        users.rows.kept[user_id] = user
    begin = BeginUploadHandler(users=users, expected=studio.expected, storage=studio.storage, uow=studio.uow)
    complete = CompleteUploadHandler(
        users=users,
        uploads=studio.uploads,
        expected=studio.expected,
        pictures=studio.pictures,
        storage=studio.storage,
        files=studio.files,
        turns=Turns(),
        outbox=studio.outbox,
        uow=studio.uow,
    )
    return Counter(studio, users, begin, complete)


async def test_what_was_sent_becomes_a_photo_in_our_own_encoding(counter: Counter) -> None:
    """Under a key of its own; the file that came is discarded."""
    begun = await counter.sent(b"as it came")
    assert begun.fields["key"] == begun.key
    assert begun.expires_in == 900
    photo = await counter.complete(CompleteUpload(begun.key), ADA)
    key = upload_key_in(photo.image_input_url)
    assert key is not None
    assert counter.studio.storage.pictures[key] == b"normalised as it came"
    assert await counter.studio.uploads.by_key(key, owner=CUSTOMER) is not None
    assert counter.studio.outbox.events == [PictureDiscarded(begun.key)]
    assert list(counter.studio.expected.kept) == [begun.key]


async def test_completing_again_gives_the_same_photo(counter: Counter) -> None:
    """Even when another file was sent with the same form meanwhile: that one is removed within a day."""
    begun = await counter.sent()
    first = await counter.complete(CompleteUpload(begun.key), ADA)
    counter.studio.storage.pictures[begun.key] = b"another photo"
    assert await counter.complete(CompleteUpload(begun.key), ADA) == first
    assert len(counter.studio.uploads.rows.kept) == 1


@pytest.mark.parametrize("file_is_gone", [False, True])
async def test_of_two_processes_that_complete_at_once_both_get_the_one_photo(
    counter: Counter, file_is_gone: bool
) -> None:
    begun = await counter.sent()
    another_process = replace(counter.complete, turns=Turns())
    pictures = counter.studio.storage.pictures
    get = counter.studio.storage.get
    asked: list[str] = []
    others: list[UploadedPhoto] = []

    async def get_late(key: str, *, largest: int | None = None) -> bytes:
        data = await get(key, largest=largest)
        if not asked:
            asked.append(key)
            others.append(await another_process(CompleteUpload(key), ADA))
            if file_is_gone:
                del pictures[key]
                return await get(key, largest=largest)
        return data

    counter.studio.storage.get = get_late  # type: ignore[method-assign]
    assert await counter.complete(CompleteUpload(begun.key), ADA) == others[0]
    assert len(counter.studio.uploads.rows.kept) == 1
    discarded = {event.key for event in counter.studio.outbox.events if isinstance(event, PictureDiscarded)}
    kept = {upload.key for upload in counter.studio.uploads.rows.kept.values()}
    assert set(pictures) - discarded == kept


@pytest.mark.parametrize("data", [b"a photo", BROKEN], ids=["a photo", "broken"])
async def test_of_many_that_complete_at_once_one_works(counter: Counter, data: bytes) -> None:
    """The file is decoded once; the others hold no transaction meanwhile, and then learn what became of it."""
    begun = await counter.sent(data)
    is_decoding, go_on = asyncio.Event(), asyncio.Event()
    normalise = counter.studio.pictures.normalise
    decoded: list[bytes] = []

    async def normalise_late(data: bytes) -> Picture:
        decoded.append(data)
        is_decoding.set()
        await go_on.wait()
        return await normalise(data)

    counter.studio.pictures.normalise = normalise_late  # type: ignore[method-assign,assignment]
    several = [asyncio.create_task(counter.complete(CompleteUpload(begun.key), ADA)) for _ in range(20)]
    await is_decoding.wait()
    assert not counter.studio.uow.is_open
    go_on.set()
    ended = await asyncio.gather(*several, return_exceptions=True)
    assert decoded == [data]
    if data == BROKEN:
        assert [type(end) for end in ended] == [Unprocessable] + 19 * [NotFound]
    else:
        assert all(end == ended[0] for end in ended)
        assert isinstance(ended[0], UploadedPhoto)


async def test_one_that_gives_up_leaves_its_turn_to_the_next(counter: Counter) -> None:
    begun = await counter.sent()
    counter.studio.storage.is_away = True
    several = [asyncio.create_task(counter.complete(CompleteUpload(begun.key), ADA)) for _ in range(3)]
    several[1].cancel()
    ended = await asyncio.gather(*several, return_exceptions=True)
    assert [type(end) for end in ended] == [Unavailable, asyncio.CancelledError, Unavailable]
    counter.studio.storage.is_away = False
    assert await counter.complete(CompleteUpload(begun.key), ADA)


async def test_another_file_needs_no_turn(counter: Counter) -> None:
    """Neither one's own, nor what another customer asks for by the same key."""
    slow, quick = await counter.sent(b"slow"), await counter.sent(b"quick")
    is_decoding, go_on = asyncio.Event(), asyncio.Event()
    normalise = counter.studio.pictures.normalise

    async def normalise_late(data: bytes) -> Picture:
        if data == b"slow":
            is_decoding.set()
            await go_on.wait()
        return await normalise(data)

    counter.studio.pictures.normalise = normalise_late  # type: ignore[method-assign,assignment]
    waiting = asyncio.create_task(counter.complete(CompleteUpload(slow.key), ADA))
    await is_decoding.wait()
    assert await counter.complete(CompleteUpload(quick.key), ADA)
    with pytest.raises(NotFound):
        await counter.complete(CompleteUpload(slow.key), BOB)
    counter.studio.uow.abandon()
    go_on.set()
    assert await waiting


async def test_before_anything_was_sent_there_is_nothing_to_complete(counter: Counter) -> None:
    begun = await counter.begin(BeginUpload(), ADA)
    with pytest.raises(Conflict):
        await counter.complete(CompleteUpload(begun.key), ADA)
    counter.studio.storage.pictures[begun.key] = b"a photo"
    assert await counter.complete(CompleteUpload(begun.key), ADA)


async def test_only_ones_own_upload_can_be_completed(counter: Counter) -> None:
    """Another's, one that never was, another file's key, no key at all, and one of yesterday: the same refusal."""
    begun = await counter.sent()
    photo = await counter.complete(CompleteUpload((await counter.sent()).key), ADA)
    stored = upload_key_in(photo.image_input_url) or ""
    await counter.studio.expected.add(stored, owner=CUSTOMER)
    await counter.studio.uow.commit()
    for key, actor in (
        (begun.key, BOB),
        (new_incoming_key(), ADA),
        (stored, ADA),
        ("../secret", ADA),
        ("incoming/\x00", ADA),
        ("", ADA),
    ):
        with pytest.raises(NotFound) as refusal:
            await counter.complete(CompleteUpload(key), actor)
        assert refusal.value.code == "not_found", key
        counter.studio.uow.abandon()
    counter.studio.uow.pass_time(days=1)
    with pytest.raises(NotFound):
        await counter.complete(CompleteUpload(begun.key), ADA)


@pytest.mark.parametrize(
    ("data", "refusal"), [(BROKEN, Unprocessable), (b"x" * (LARGEST_UPLOAD + 1), TooLarge)], ids=["broken", "too large"]
)
async def test_a_file_that_is_refused_goes(counter: Counter, data: bytes, refusal: type[Failure]) -> None:
    """The upload has ended with it, and takes no room any more; what is sent with its form again is still expected."""
    begun = await counter.sent(data)
    with pytest.raises(refusal):
        await counter.complete(CompleteUpload(begun.key), ADA)
    assert counter.studio.outbox.events == [PictureDiscarded(begun.key)]
    assert list(counter.studio.expected.kept) == [begun.key]
    assert await counter.studio.expected.unfinished(CUSTOMER) == []
    assert counter.studio.uploads.rows.kept == {}
    with pytest.raises(NotFound):
        await counter.complete(CompleteUpload(begun.key), ADA)


async def test_a_storage_that_is_away_ends_nothing(counter: Counter) -> None:
    begun = await counter.sent()
    counter.studio.storage.is_away = True
    with pytest.raises(Unavailable):
        await counter.complete(CompleteUpload(begun.key), ADA)
    counter.studio.storage.is_away = False
    assert await counter.complete(CompleteUpload(begun.key), ADA)


async def test_an_account_that_was_deleted_meanwhile_keeps_no_photo(counter: Counter) -> None:
    begun = await counter.sent()
    counter.users.rows.kept[CUSTOMER].deleted_at = counter.studio.uow.time
    for attempt in (counter.complete(CompleteUpload(begun.key), ADA), counter.begin(BeginUpload(), ADA)):
        with pytest.raises(NotFound):
            await attempt
        counter.studio.uow.abandon()
    discarded = {event.key for event in counter.studio.outbox.events if isinstance(event, PictureDiscarded)}
    assert set(counter.studio.storage.pictures) - discarded == {begun.key}
    assert list(counter.studio.expected.kept) == [begun.key]


async def test_open_forms_are_bounded(counter: Counter) -> None:
    """Whoever has too many is told when the oldest expires, and may then begin again; completing one makes room."""
    first = await counter.sent()
    counter.studio.uow.pass_time(minutes=5)
    for _ in range(MOST_OPEN - 1):
        await counter.begin(BeginUpload(), ADA)
    with pytest.raises(Throttled) as refusal:
        await counter.begin(BeginUpload(), ADA)
    assert refusal.value.retry_after == timedelta(minutes=10).total_seconds()
    counter.studio.uow.abandon()
    assert await counter.begin(BeginUpload(), BOB)
    await counter.complete(CompleteUpload(first.key), ADA)
    assert await counter.begin(BeginUpload(), ADA)
    with pytest.raises(Throttled):
        await counter.begin(BeginUpload(), ADA)
    counter.studio.uow.abandon()
    counter.studio.uow.pass_time(minutes=15)
    assert await counter.begin(BeginUpload(), ADA)


async def test_unfinished_uploads_of_a_day_are_bounded(counter: Counter) -> None:
    """However slowly they were begun; whoever has too many is told when the oldest is forgotten."""
    first = await counter.sent()
    for number in range(1, MOST_UNFINISHED):
        if number % MOST_OPEN == 0:
            counter.studio.uow.pass_time(seconds=FORM_LIFE.total_seconds())
        await counter.begin(BeginUpload(), ADA)
    passed = FORM_LIFE * (MOST_UNFINISHED // MOST_OPEN - 1)
    with pytest.raises(Throttled) as refusal:
        await counter.begin(BeginUpload(), ADA)
    assert refusal.value.retry_after == (timedelta(days=1) - passed).total_seconds()
    counter.studio.uow.abandon()
    counter.studio.uow.pass_time(seconds=FORM_LIFE.total_seconds())
    with pytest.raises(Throttled):
        await counter.begin(BeginUpload(), ADA)
    counter.studio.uow.abandon()
    await counter.complete(CompleteUpload(first.key), ADA)
    assert await counter.begin(BeginUpload(), ADA)
