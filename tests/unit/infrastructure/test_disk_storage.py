"""What only the folder has: addresses that expire, keys that stay inside, writes that are whole or not there."""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.errors import Forbidden, NotFound, Unavailable
from infrastructure.storage.disk import PARTS, DiskStorage

KEY = "uploads/3f/portrait_0-Z.jpg"


class Clock:
    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secret() -> str:
    return secrets.token_urlsafe(32)


@pytest.fixture
def storage(tmp_path: Path, secret: str, clock: Clock) -> DiskStorage:
    return DiskStorage(tmp_path, public_url="https://tryon.example/", secrets=[secret], url_life=3600, now=clock)


def parts(url: str) -> tuple[str, str, str]:
    """Key, expiry and signature, as the route gets them."""
    address = urlsplit(url)
    query = parse_qs(address.query)
    return address.path.removeprefix("/media/"), query["expires"][0], query["signature"][0]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_an_address_yields_its_picture(storage: DiskStorage) -> None:
    await storage.put(KEY, b"pixels")
    url = await storage.url(KEY)
    assert url.startswith(f"https://tryon.example/media/{KEY}?expires=")
    assert await storage.read_signed(*parts(url)) == b"pixels"


async def test_an_address_is_the_same_for_half_its_life(storage: DiskStorage, clock: Clock) -> None:
    """Within a half life one address is handed out, and it lives for another half at least, one life at most."""
    clock.time = 1800 * 1000
    first = await storage.url(KEY)
    clock.time += 1799
    assert await storage.url(KEY) == first
    assert int(parts(first)[1]) - clock.time > 1800
    clock.time += 1
    later = await storage.url(KEY)
    assert later != first
    assert int(parts(later)[1]) - clock.time <= 3600


async def test_an_address_expires(storage: DiskStorage, clock: Clock) -> None:
    await storage.put(KEY, b"pixels")
    url = await storage.url(KEY)
    clock.time += 3600
    with pytest.raises(NotFound):
        await storage.read_signed(*parts(url))


async def test_a_forged_address_finds_nothing(storage: DiskStorage) -> None:
    """Another key, a later end, a changed, empty, foreign or unspeakable signature."""
    await storage.put(KEY, b"pixels")
    await storage.put("uploads/3f/other.jpg", b"others")
    key, expires, signature = parts(await storage.url(KEY))
    forgeries = [
        ("uploads/3f/other.jpg", expires, signature),
        (key, str(int(expires) + 1), signature),
        (key, expires, signature[:-1]),
        (key, expires, ""),
        (key, "", ""),
        (key, "never", signature),
        (key, expires, "ü" * 43),
        (key, expires, "\udc80"),
        ("\udc80", expires, signature),
        (f"{expires}\n{key}", "", signature),
    ]
    for forgery in forgeries:
        with pytest.raises(NotFound):
            await storage.read_signed(*forgery)


async def test_an_address_outlives_the_change_of_secret(tmp_path: Path, secret: str, clock: Clock) -> None:
    """The secret before is accepted, no longer used to sign, and forgotten once it is taken away."""
    before = DiskStorage(tmp_path, public_url="https://tryon.example", secrets=[secret], now=clock)
    await before.put(KEY, b"pixels")
    url = await before.url(KEY)
    new = secrets.token_urlsafe(32)
    rotating = DiskStorage(tmp_path, public_url="https://tryon.example", secrets=[new, secret], now=clock)
    assert await rotating.read_signed(*parts(url)) == b"pixels"
    assert await rotating.url(KEY) != url
    after = DiskStorage(tmp_path, public_url="https://tryon.example", secrets=[new], now=clock)
    assert await after.read_signed(*parts(await rotating.url(KEY))) == b"pixels"
    with pytest.raises(NotFound):
        await after.read_signed(*parts(url))


async def test_the_signature_does_not_show_the_secret(storage: DiskStorage, secret: str) -> None:
    assert secret not in await storage.url(KEY)


@pytest.mark.parametrize(
    "key",
    [
        "../secret.jpg",
        "uploads/../../secret.jpg",
        "/etc/passwd",
        "a//b.jpg",
        "a/.hidden",
        "a\\b.jpg",
        "a\0.jpg",
        "",
        "a/",
        "a.jpg/..",
        "a/b.jpg\n",
        "é.jpg",
        "x" * 201,
    ],
)
async def test_a_key_cannot_leave_the_folder(storage: DiskStorage, tmp_path: Path, key: str) -> None:
    """What is no key of ours is never written, reads as not there, and is not served even with a valid signature."""
    (tmp_path.parent / "secret.jpg").write_bytes(b"secret")
    with pytest.raises(ValueError, match="not a storage key"):
        await storage.put(key, b"pixels")
    with pytest.raises(NotFound):
        await storage.get(key)
    _, expires, signature = parts(await storage.url(key))
    with pytest.raises(NotFound):
        await storage.read_signed(key, expires, signature)


@pytest.mark.parametrize(
    ("public_url", "reachable"),
    [
        ("https://tryon.example", True),
        ("https://127.example", True),
        ("http://tryon.example", False),
        ("https://localhost:8000", False),
        ("https://api.localhost", False),
        ("https://127.0.0.1", False),
        ("https://[::1]:8000", False),
    ],
)
async def test_only_a_public_https_address_is_given_to_the_provider(
    tmp_path: Path, secret: str, public_url: str, reachable: bool
) -> None:
    storage = DiskStorage(tmp_path, public_url=public_url, secrets=[secret])
    assert await storage.public_url(KEY) == (await storage.url(KEY) if reachable else None)


async def test_a_broken_disk_is_unavailable_and_leaves_nothing_half_written(tmp_path: Path, secret: str) -> None:
    """A file where the folder should be: every call says `storage_unavailable`."""
    root = tmp_path / "media"
    root.write_bytes(b"not a folder")
    storage = DiskStorage(root, public_url="https://tryon.example", secrets=[secret])
    with pytest.raises(Unavailable) as put:
        await storage.put(KEY, b"pixels")
    with pytest.raises(Unavailable) as ping:
        await storage.ping()
    assert put.value.code == ping.value.code == "storage_unavailable"


async def test_a_failed_write_leaves_the_folder_clean(storage: DiskStorage, tmp_path: Path) -> None:
    """A directory in the picture's place makes the last step fail; the temporary file goes too."""
    (tmp_path / KEY).mkdir(parents=True)
    with pytest.raises(Unavailable):
        await storage.put(KEY, b"pixels")
    assert files_in(tmp_path) == []


async def test_pictures_are_the_owners_alone(tmp_path: Path, secret: str) -> None:
    """The folder and the files that storage makes are closed to other users of the machine."""
    storage = DiskStorage(tmp_path / "var" / "media", public_url="https://tryon.example", secrets=[secret])
    await storage.put(KEY, b"pixels")
    for path in (tmp_path / "var" / "media", tmp_path / "var" / "media" / KEY):
        assert path.stat().st_mode & 0o077 == 0


async def test_ping_leaves_nothing_behind(storage: DiskStorage, tmp_path: Path) -> None:
    await storage.ping()
    assert files_in(tmp_path) == []


async def test_a_form_is_good_for_its_key_and_size_until_it_expires(storage: DiskStorage, clock: Clock) -> None:
    form = await storage.form("incoming/one", largest=10, seconds=900)
    assert form.url == "https://tryon.example/media-upload"
    for _ in range(2):
        assert storage.admit_form(form.fields) == ("incoming/one", 10)
    clock.time += 899
    assert storage.admit_form(form.fields) == ("incoming/one", 10)
    clock.time += 1
    with pytest.raises(Forbidden):
        storage.admit_form(form.fields)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "incoming/two"},
        {"key": "uploads/3f/portrait_0-Z.jpg"},
        {"largest": "11"},
        {"largest": "10\nincoming/one"},
        {"expires": "9999999999"},
        {"expires": ""},
        {"signature": ""},
        {"signature": "\ud800"},
        {"acl": "public-read"},
    ],
)
async def test_a_form_that_was_changed_permits_nothing(storage: DiskStorage, change: dict[str, str]) -> None:
    form = await storage.form("incoming/one", largest=10, seconds=900)
    with pytest.raises(Forbidden):
        storage.admit_form(form.fields | change)
    for field in form.fields:
        with pytest.raises(Forbidden):
            storage.admit_form({name: value for name, value in form.fields.items() if name != field})


async def test_the_signature_of_an_address_is_none_of_a_form(storage: DiskStorage) -> None:
    """And the reverse."""
    key, expires, signature = parts(await storage.url(KEY))
    with pytest.raises(Forbidden):
        storage.admit_form({"key": key, "expires": expires, "largest": "10", "signature": signature})
    form = await storage.form(KEY, largest=10, seconds=900)
    await storage.put(KEY, b"pixels")
    for expiry in (form.fields["expires"], f"{form.fields['expires']}\n10"):
        with pytest.raises(NotFound):
            await storage.read_signed(KEY, expiry, form.fields["signature"])


async def test_a_form_outlives_a_change_of_secrets(tmp_path: Path, secret: str, clock: Clock) -> None:
    before = DiskStorage(tmp_path, public_url="https://tryon.example", secrets=[secret], now=clock)
    form = await before.form("incoming/one", largest=10, seconds=900)
    now = DiskStorage(
        tmp_path, public_url="https://tryon.example", secrets=[secrets.token_urlsafe(32), secret], now=clock
    )
    assert now.admit_form(form.fields) == ("incoming/one", 10)


async def test_what_a_killed_process_was_writing_does_not_stay(storage: DiskStorage, tmp_path: Path) -> None:
    """It is removed with a later write, and what others are writing at that moment is not."""
    await storage.put(KEY, b"pixels")
    left_behind, under_way = tmp_path / PARTS / "left", tmp_path / PARTS / "under way"
    for part in (left_behind, under_way):
        part.write_bytes(b"pix")
    os.utime(left_behind, (0, 0))
    await storage.put(KEY, b"pixels")
    assert list((tmp_path / PARTS).iterdir()) == [under_way]
