"""What every `PictureStorage` promises, asked of the fake, the folder and S3."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from application.images.ports import PictureStorage, UploadForm
from domain.errors import NotFound, TooLarge, Unavailable
from infrastructure.storage.disk import DiskStorage
from infrastructure.storage.s3 import S3Storage
from tests.fakes import InMemoryStorage
from tests.misbehaving import MisbehavingServer

Fetch = Callable[[str], Awaitable[bytes]]
Send = Callable[[UploadForm, bytes], Awaitable[None]]


def new_key() -> str:
    return f"uploads/3f/{secrets.token_urlsafe(12)}.jpg"


@asynccontextmanager
async def s3_at(endpoint: str) -> AsyncIterator[S3Storage]:
    async with S3Storage(
        bucket=f"pictures-{secrets.token_hex(6)}",
        region="eu-central-1",
        endpoint_url=endpoint,
        access_key_id="nobody",
        secret_access_key=secrets.token_hex(16),
    ) as storage:
        yield storage


async def create_bucket(storage: S3Storage) -> None:
    await storage._client.create_bucket(
        Bucket=storage._bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )


@pytest.fixture(params=["fake", "disk", "s3"])
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[PictureStorage, Fetch, Send]]:
    """A storage, and how somebody without a session fetches its addresses and sends its forms."""
    if request.param == "fake":
        fake = InMemoryStorage()

        async def from_memory(url: str) -> bytes:
            return fake.pictures[urlsplit(url).path.removeprefix("/")]

        async def to_memory(form: UploadForm, data: bytes) -> None:
            fake.pictures[form.fields["key"]] = data

        yield fake, from_memory, to_memory
    elif request.param == "disk":
        disk = DiskStorage(tmp_path, public_url="https://tryon.example", secrets=[secrets.token_hex(32)])

        async def from_route(url: str) -> bytes:
            query = parse_qs(urlsplit(url).query)
            key = urlsplit(url).path.removeprefix("/media/")
            return await disk.read_signed(key, query["expires"][0], query["signature"][0])

        async def to_route(form: UploadForm, data: bytes) -> None:
            key, largest = disk.admit_form(form.fields)
            assert len(data) <= largest
            await disk.put(key, data)

        yield disk, from_route, to_route
    else:
        async with s3_at(request.getfixturevalue("s3_endpoint")) as s3, httpx.AsyncClient(trust_env=False) as client:
            await create_bucket(s3)

            async def over_http(url: str) -> bytes:
                answer = await client.get(url)
                return answer.raise_for_status().content

            async def by_form(form: UploadForm, data: bytes) -> None:
                answer = await client.post(form.url, data=form.fields, files={"file": ("me.jpg", data)})
                answer.raise_for_status()

            yield s3, over_http, by_form


@pytest.fixture
def storage(subject: tuple[PictureStorage, Fetch, Send]) -> PictureStorage:
    return subject[0]


@pytest.fixture
def fetch(subject: tuple[PictureStorage, Fetch, Send]) -> Fetch:
    return subject[1]


@pytest.fixture
def send(subject: tuple[PictureStorage, Fetch, Send]) -> Send:
    return subject[2]


@pytest.fixture(params=["fake", "disk", "s3"])
async def away(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PictureStorage]:
    """A storage that cannot be reached."""
    if request.param == "fake":
        fake = InMemoryStorage()
        fake.is_away = True
        yield fake
    elif request.param == "disk":
        (tmp_path / "media").write_bytes(b"not a folder")
        yield DiskStorage(tmp_path / "media", public_url="https://tryon.example", secrets=[secrets.token_hex(32)])
    else:
        async with MisbehavingServer(b"") as server:
            gone = server.url
        async with s3_at(gone) as s3:
            yield s3


async def test_what_was_put_is_what_is_got(storage: PictureStorage) -> None:
    key, data = new_key(), secrets.token_bytes(100_000)
    await storage.put(key, data)
    assert await storage.get(key) == data


async def test_keys_do_not_mix(storage: PictureStorage) -> None:
    one, other = new_key(), new_key()
    await storage.put(one, b"one")
    await storage.put(other, b"other")
    assert (await storage.get(one), await storage.get(other)) == (b"one", b"other")


async def test_putting_again_is_fine(storage: PictureStorage) -> None:
    """A worker that died after storing stores the same picture once more."""
    key = new_key()
    await storage.put(key, b"pixels")
    await storage.put(key, b"pixels")
    assert await storage.get(key) == b"pixels"


async def test_what_is_not_there_is_not_found(storage: PictureStorage) -> None:
    with pytest.raises(NotFound):
        await storage.get(new_key())


async def test_what_was_deleted_is_gone_and_deleting_it_again_is_fine(storage: PictureStorage) -> None:
    key = new_key()
    await storage.put(key, b"pixels")
    for _ in range(2):
        await storage.delete(key)
        with pytest.raises(NotFound):
            await storage.get(key)


async def test_an_address_is_fetched_without_a_session(storage: PictureStorage, fetch: Fetch) -> None:
    key = new_key()
    await storage.put(key, b"\xff\xd8\xffpixels")
    assert await fetch(await storage.url(key)) == b"\xff\xd8\xffpixels"


async def test_an_address_is_absolute_and_handed_out_again(storage: PictureStorage) -> None:
    """A key keeps its address for a while, whether or not a picture is there yet; no two keys share one."""
    key = new_key()
    url = await storage.url(key)
    assert urlsplit(url).scheme in {"http", "https"}
    assert urlsplit(url).netloc
    assert await storage.url(key) == url
    assert await storage.url(new_key()) != url


async def test_the_providers_address_is_the_same_or_none(storage: PictureStorage) -> None:
    key = new_key()
    assert await storage.public_url(key) in {None, await storage.url(key)}


async def test_what_was_sent_with_a_form_is_there(storage: PictureStorage, send: Send) -> None:
    """Under the key that the form is for, byte for byte; sent again, the last file counts."""
    key = f"incoming/{secrets.token_urlsafe(24)}"
    form = await storage.form(key, largest=1000, seconds=60)
    assert (form.fields["key"], urlsplit(form.url).scheme in {"http", "https"}) == (key, True)
    for data in (b"not even a picture", b"another"):
        await send(form, data)
        assert await storage.get(key, largest=1000) == data


async def test_a_file_that_is_larger_than_wanted_is_not_read(storage: PictureStorage) -> None:
    key = new_key()
    await storage.put(key, b"12345")
    assert await storage.get(key, largest=5) == b"12345"
    with pytest.raises(TooLarge) as refusal:
        await storage.get(key, largest=4)
    assert refusal.value.code == "payload_too_large"
    with pytest.raises(NotFound):
        await storage.get(new_key(), largest=4)


async def test_a_storage_that_is_there_answers(storage: PictureStorage) -> None:
    await storage.ping()


@pytest.mark.parametrize("call", ["put", "get", "delete", "ping"])
async def test_a_storage_that_is_away_says_so(away: PictureStorage, call: str) -> None:
    key = new_key()
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "put": lambda: away.put(key, b"pixels"),
        "get": lambda: away.get(key),
        "delete": lambda: away.delete(key),
        "ping": away.ping,
    }
    with pytest.raises(Unavailable) as failure:
        await calls[call]()
    assert failure.value.code == "storage_unavailable"
