"""What customers change about themselves: their name, and the picture of them."""

import asyncio
import json
import re
import struct
import zlib
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import ExifTags, Image

from domain.uploads import LARGEST_UPLOAD
from tests.factories import photo
from tests.integration.http.stories import Customer, Service

PICTURES = "https://pictures.test/"


async def show(customer: Customer, data: bytes) -> httpx.Response:
    return await customer.api.put("/user/me/picture", files={"file": ("me.jpg", data)})


async def shown(customer: Customer) -> str | None:
    """The key of the picture that the profile shows."""
    address = (await customer.get("/user/me"))["profile_picture"]
    return address.removeprefix(PICTURES) if address else None


def stored(service: Service, key: str | None) -> Any:
    assert key is not None
    return Image.open(BytesIO(service.storage.pictures[key]))


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises so many pixels, in less than a hundred bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


# The name


async def test_a_new_name_is_answered_with_the_profile(service: Service) -> None:
    """The whole profile, as it reads from now on; nobody else's name changes."""
    ada, bob = await service.customer(name="Ada"), await service.customer(name="Bob")
    response = await ada.api.patch("/user/me", json={"name": "Ada Lovelace"})
    assert response.status_code == 200
    assert response.json() == await ada.get("/user/me")
    assert response.json()["name"] == "Ada Lovelace"
    assert (await bob.get("/user/me"))["name"] == "Bob"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Ada\nBcc: everybody@example.com", "Ada Bcc: everybody@example.com"),
        ("\x1b[31mAda\x00\x07\u202e\u200b", "[31mAda"),
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Žofie 张伟 👩🏽‍🦱", "Žofie 张伟 👩🏽 🦱"),
        ("a" * 70, "a" * 70),
        ("<b>Ada</b> & 'co' {{ 7 * 7 }}", "<b>Ada</b> & 'co' {{ 7 * 7 }}"),
    ],
)
async def test_control_characters_in_a_name_become_spaces(service: Service, name: str, kept: str) -> None:
    """They would break log lines and mails; everything else is text, and stays."""
    ada = await service.customer()
    response = await ada.api.patch("/user/me", json={"name": name})
    assert (response.status_code, response.json()["name"]) == (200, kept)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"name": ["Ada"]}, "name"),
        ({"name": ""}, "name"),
        ({"name": " \n\t\x00"}, "name"),
        ({"name": "a" * 71}, "name"),
        ({"name": "a" * 281}, "name"),
        ({"name": "Ada", "role": "admin"}, "role"),
        ({"name": "Ada", "email": "eve@example.com"}, "email"),
        ({"name": "Ada", "credits": 1000}, "credits"),
        ({"name": "Ada", "is_verified": True}, "is_verified"),
        ([], ""),
        ("Ada", ""),
    ],
)
async def test_a_profile_has_a_name_to_change_and_nothing_else(service: Service, body: Any, field: str) -> None:
    """Other fields, other types, names that are none: 400, naming the field, and nothing changes."""
    ada = await service.customer(name="Ada")
    before = await ada.get("/user/me")
    response = await ada.api.patch("/user/me", json=body)
    assert (response.status_code, response.json()["code"]) == (400, "validation_failed")
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert await ada.get("/user/me") == before


async def test_a_name_of_half_a_character_is_refused(service: Service) -> None:
    """A lone surrogate can be written in JSON, and nowhere else."""
    ada = await service.customer(name="Ada")
    headers = {"Content-Type": "application/json"}
    response = await ada.api.patch("/user/me", content=b'{"name": "A\\ud800"}', headers=headers)
    assert response.status_code == 400
    assert (await ada.get("/user/me"))["name"] == "Ada"


async def test_strangers_change_nothing(service: Service) -> None:
    stranger = service.browser()
    for response in (
        await stranger.patch("/user/me", json={"name": "Eve"}),
        await stranger.put("/user/me/picture", files={"file": ("me.jpg", photo())}),
        await stranger.delete("/user/me/picture"),
        await stranger.get("/user/uploads"),
        await stranger.get("/user/me/export"),
    ):
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert service.storage.pictures == {}


# The picture


@pytest.mark.parametrize(
    ("size", "kind", "side"), [((1600, 900), "JPEG", 512), ((300, 500), "PNG", 300), ((64, 64), "GIF", 64)]
)
async def test_a_picture_is_kept_as_a_square_jpeg(
    service: Service, size: tuple[int, int], kind: str, side: int
) -> None:
    """512 pixels at most, cut from the centre, never enlarged; the answer is the profile that shows it."""
    ada = await service.customer()
    response = await show(ada, photo(*size, kind=kind))
    assert response.status_code == 200
    assert response.json() == await ada.get("/user/me")
    key = await shown(ada)
    assert re.fullmatch(r"pictures/profile/[A-Za-z0-9_-]{32}\.jpg", key or "")
    picture = stored(service, key)
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (side, side))


async def test_where_and_with_what_it_was_taken_is_not_kept(service: Service) -> None:
    ada = await service.customer()
    file, exif = BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Somebody's camera"
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (47.0, 22.0, 8.5)}
    Image.new("RGB", (400, 300)).save(file, "JPEG", exif=exif)
    assert (await show(ada, file.getvalue())).status_code == 200
    (data,) = service.storage.pictures.values()
    assert not Image.open(BytesIO(data)).getexif()
    assert b"camera" not in data
    assert b"Exif" not in data


async def test_the_former_picture_leaves_storage(service: Service) -> None:
    """When the worker has been by; what others show stays."""
    ada, bob = await service.customer(), await service.customer()
    await show(bob, photo())
    await show(ada, photo())
    first = await shown(ada)
    await show(ada, photo())
    second = await shown(ada)
    assert first != second
    await service.worker.drain()
    assert set(service.storage.pictures) == {second, await shown(bob)}


async def test_of_pictures_sent_at_once_one_is_left(service: Service) -> None:
    """The one that is shown: each that takes another's place discards it, however close they come."""
    ada = await service.customer()
    answers = await asyncio.gather(*(show(ada, photo()) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(service.storage.pictures) == 6
    await service.worker.drain()
    assert set(service.storage.pictures) == {await shown(ada)}


async def test_a_picture_is_removed_however_often_one_asks(service: Service) -> None:
    """204 each time, and its file leaves storage."""
    ada = await service.customer()
    await show(ada, photo())
    for _ in range(2):
        assert (await ada.api.delete("/user/me/picture")).status_code == 204
    assert await shown(ada) is None
    await service.worker.drain()
    assert service.storage.pictures == {}
    assert await service.count("outbox") == 0


async def test_a_file_that_cannot_be_removed_now_is_removed_later(service: Service) -> None:
    """Storage is away when the worker comes by, and the profile shows none all the same."""
    ada = await service.customer()
    await show(ada, photo())
    await ada.api.delete("/user/me/picture")
    service.storage.is_away = True
    await service.worker.drain()
    assert await shown(ada) is None
    assert len(service.storage.pictures) == 1
    service.storage.is_away = False
    await service.pass_time(60)
    await service.worker.drain()
    assert service.storage.pictures == {}


async def test_what_is_no_picture_of_somebody_is_refused(service: Service) -> None:
    """No picture, too small, too many pixels, too many bytes; the picture that is shown stays."""
    ada = await service.customer()
    await show(ada, photo())
    before = await shown(ada)
    for data, status, code in (
        (b"", 422, "image_unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='999' height='999'/>", 422, "image_unreadable"),
        (b"PK\x03\x04" + bytes(100), 422, "image_unreadable"),
        (photo(600, 600)[:1000], 422, "image_unreadable"),
        (photo(63, 600), 422, "image_too_small"),
        (png_of(5001, 5000), 422, "image_too_many_pixels"),
        (png_of(60_000, 60_000), 422, "image_too_many_pixels"),
        (photo().ljust(LARGEST_UPLOAD + 1, b"\x00"), 413, "payload_too_large"),
        (photo().ljust(LARGEST_UPLOAD + 200_000, b"\x00"), 413, "payload_too_large"),
    ):
        response = await show(ada, data)
        assert (response.status_code, response.json()["code"]) == (status, code)
    await service.worker.drain()
    assert await shown(ada) == before
    assert set(service.storage.pictures) == {before}


async def test_a_body_that_is_no_form_is_refused(service: Service) -> None:
    """JSON, an empty form, text for a file, another field: 4xx."""
    ada = await service.customer()
    requests: list[dict[str, Any]] = [
        {"json": {}},
        {"json": {"file": "x"}},
        {"files": {"photo": ("me.jpg", photo())}},
        {"data": {"file": "text"}},
        {"content": b"--x--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": photo(), "headers": {"Content-Type": "image/jpeg"}},
        {},
    ]
    for request in requests:
        response = await ada.api.put("/user/me/picture", **request)
        assert response.status_code in {400, 415}, request
        assert json.loads(response.content)["code"] in {"validation_failed", "unsupported_media_type"}
    assert service.storage.pictures == {}


async def test_without_storage_a_picture_is_503_and_may_be_tried_again(service: Service) -> None:
    ada = await service.customer()
    service.storage.is_away = True
    response = await show(ada, photo())
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert int(response.headers["Retry-After"]) >= 1
    service.storage.is_away = False
    assert (await show(ada, photo())).status_code == 200
