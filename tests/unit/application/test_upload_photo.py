from hashlib import sha256

import pytest

from application.actor import Actor, Client
from application.events import PictureDiscarded
from application.images.upload_photo import UploadPhoto, UploadPhotoHandler
from domain.errors import Failure, NotFound, TooLarge, Unauthenticated, Unavailable, Unprocessable
from domain.uploads import LARGEST_UPLOAD, upload_key_in
from tests.factories import UserFactory
from tests.unit.application.records import InMemoryUsers
from tests.unit.application.rendering import BROKEN, CUSTOMER, Studio

ACTOR = Actor.user(CUSTOMER, session_id=1)


async def studio() -> tuple[Studio, UploadPhotoHandler]:
    made = await Studio.with_credits(0)
    users = InMemoryUsers(made.uow, made.accounts)
    user = UserFactory.build()
    user.id = CUSTOMER
    users.rows.kept[CUSTOMER] = user
    handler = UploadPhotoHandler(
        users=users,
        uploads=made.uploads,
        pictures=made.pictures,
        storage=made.storage,
        files=made.files,
        uow=made.uow,
    )
    return made, handler


async def test_what_is_kept_is_our_own_encoding_under_an_address_that_names_it() -> None:
    """The address that is handed out is what a try-on is asked for with."""
    made, upload = await studio()
    photo = await upload(UploadPhoto(b"as it came"), ACTOR)
    key = upload_key_in(photo.image_input_url)
    assert key is not None
    assert made.storage.pictures[key] == b"normalised as it came"
    assert (photo.size, photo.content_type) == (len(b"normalised as it came"), "image/jpeg")
    kept = await made.uploads.by_key(key, owner=CUSTOMER)
    assert kept is not None
    assert (kept.width, kept.height, kept.size) == (photo.width, photo.height, photo.size)
    assert await made.uploads.by_key(key, owner=CUSTOMER + 1) is None
    assert kept.digest == sha256(b"normalised as it came").digest()
    assert made.expected.kept == {}


async def test_the_same_photo_twice_is_two_uploads() -> None:
    """Keys are random: none tells what a picture shows, or that somebody else sent it too."""
    _, upload = await studio()
    addresses = {(await upload(UploadPhoto(b"a photo"), ACTOR)).image_input_url for _ in range(2)}
    assert len(addresses) == 2


@pytest.mark.parametrize(
    ("data", "actor", "refusal"),
    [
        (b"x" * (LARGEST_UPLOAD + 1), ACTOR, TooLarge),
        (BROKEN, ACTOR, Unprocessable),
        (b"a photo", Actor.anonymous(Client()), Unauthenticated),
    ],
    ids=["too large", "no picture", "nobody's"],
)
async def test_nothing_is_kept_of_what_is_refused(data: bytes, actor: Actor, refusal: type[Failure]) -> None:
    made, upload = await studio()
    before = dict(made.storage.pictures)
    with pytest.raises(refusal):
        await upload(UploadPhoto(data), actor)
    assert (made.storage.pictures, len(made.uploads.rows.kept)) == (before, 1)


async def test_a_photo_of_exactly_10_mb_is_taken() -> None:
    _, upload = await studio()
    assert await upload(UploadPhoto(b"x" * LARGEST_UPLOAD), ACTOR)


async def test_without_storage_there_is_no_upload() -> None:
    made, upload = await studio()
    made.storage.is_away = True
    with pytest.raises(Unavailable) as refusal:
        await upload(UploadPhoto(b"a photo"), ACTOR)
    assert refusal.value.code == "storage_unavailable"
    assert len(made.uploads.rows.kept) == 1


async def test_an_account_that_was_deleted_meanwhile_keeps_no_photo() -> None:
    """Its owner deleted it while the last bytes were on their way."""
    made, upload = await studio()
    user = await upload.users.by_id(CUSTOMER)
    assert user is not None
    user.erase(await made.uow.now())
    await made.uow.commit()
    before = set(made.storage.pictures)
    with pytest.raises(NotFound):
        await upload(UploadPhoto(b"a face"), ACTOR)
    (late,) = set(made.storage.pictures) - before
    assert (made.outbox.events, made.expected.kept) == ([PictureDiscarded(late)], {})


async def test_a_file_is_announced_before_it_is_stored() -> None:
    """Who dies after storing it, and before the photo is recorded, leaves the announcement of this very file."""
    made, upload = await studio()
    before = set(made.storage.pictures)

    async def die(key: str, data: bytes, *, content_type: str = "image/jpeg") -> None:
        assert data
        assert content_type == "image/jpeg"
        made.storage.pictures[key] = data
        raise KeyboardInterrupt

    made.storage.put = die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await upload(UploadPhoto(b"a face"), ACTOR)
    made.uow.abandon()
    assert set(made.expected.kept) == set(made.storage.pictures) - before
    assert len(made.uploads.rows.kept) == 1


async def test_a_photo_that_housekeeping_has_given_up_is_not_recorded() -> None:
    """Its file is about to be removed."""
    made, upload = await studio()
    put = made.storage.put

    async def put_very_slowly(key: str, data: bytes, *, content_type: str = "image/jpeg") -> None:
        await put(key, data, content_type=content_type)
        made.expected.kept.clear()

    made.storage.put = put_very_slowly  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await upload(UploadPhoto(b"a face"), ACTOR)
    made.uow.abandon()
    assert len(made.uploads.rows.kept) == 1
