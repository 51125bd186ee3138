"""Photos that go straight to storage: begun, completed, completed again, refused, forgotten."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from application.actor import Actor
from application.events import PictureDiscarded
from application.images.begin_upload import MOST_UNFINISHED, BeginUpload, BeginUploadHandler, UploadBegun
from application.images.complete_upload import CompleteUpload, CompleteUploadHandler
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
async def test_of_two_that_complete_at_once_both_get_the_one_photo(counter: Counter, file_is_gone: bool) -> None:
    begun = await counter.sent()
    pictures = counter.studio.storage.pictures
    get = counter.studio.storage.get
    asked: list[str] = []
    others: list[UploadedPhoto] = []

    async def get_late(key: str, *, largest: int | None = None) -> bytes:
        data = await get(key, largest=largest)
        if not asked:
            asked.append(key)
            others.append(await counter.complete(CompleteUpload(key), ADA))
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


async def test_unfinished_uploads_are_bounded(counter: Counter) -> None:
    """Whoever has too many is told when the oldest is forgotten; completing one makes room."""
    first = await counter.sent()
    counter.studio.uow.pass_time(hours=1)
    for _ in range(MOST_UNFINISHED - 1):
        await counter.begin(BeginUpload(), ADA)
    with pytest.raises(Throttled) as refusal:
        await counter.begin(BeginUpload(), ADA)
    assert refusal.value.retry_after == timedelta(hours=23).total_seconds()
    counter.studio.uow.abandon()
    assert await counter.begin(BeginUpload(), BOB)
    await counter.complete(CompleteUpload(first.key), ADA)
    assert await counter.begin(BeginUpload(), ADA)
