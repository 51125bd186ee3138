"""Uploads: what is taken, what it becomes, and what is refused however it is dressed up."""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from domain.uploads import LARGEST_UPLOAD
from tests.factories import photo
from tests.integration.http.stories import Customer, Service

PNG = b"\x89PNG\r\n\x1a\n"


def outcome(response: httpx.Response) -> tuple[int, str | None]:
    return response.status_code, response.json().get("code")


async def upload(customer: Customer, data: bytes, name: str = "me.jpg", kind: str = "image/jpeg") -> httpx.Response:
    return await customer.api.post("/image/upload", files={"file": (name, data, kind)})


def stored(service: Service, response: httpx.Response) -> Any:
    """The picture that an accepted upload became."""
    assert response.status_code == 201, response.text
    key = response.json()["image_input_url"].removeprefix("https://pictures.test/")
    return Image.open(BytesIO(service.storage.pictures[key]))


def png_header(width: int, height: int) -> bytes:
    """A file of a hundred bytes that promises so many pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
async def test_a_picture_is_known_by_its_bytes(service: Service, kind: str) -> None:
    """Whatever its name and announced type say, it is taken and becomes a JPEG."""
    customer = await service.customer()
    for name, announced in (("me.txt", "text/plain"), ("../../me.exe", "application/x-msdownload"), ("", "image/webp")):
        picture = stored(service, await upload(customer, photo(300, 400, kind=kind), name or "x", announced))
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (300, 400))


async def test_a_large_picture_is_made_smaller(service: Service) -> None:
    """2048 pixels at most on the long side; the answer tells the new size."""
    customer = await service.customer()
    response = await upload(customer, photo(4000, 2000))
    assert stored(service, response).size == (2048, 1024)
    assert (response.json()["width"], response.json()["height"]) == (2048, 1024)


async def test_where_and_how_a_photo_was_taken_is_not_kept(service: Service) -> None:
    """It is stored upright and without any metadata."""
    customer = await service.customer()
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera"
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (400, 300)).save(file, "JPEG", exif=exif)
    picture = stored(service, await upload(customer, file.getvalue()))
    assert picture.size == (300, 400)
    assert not picture.getexif()


async def test_what_is_no_picture_is_422_whatever_it_is_called(service: Service) -> None:
    """Pages, drawings, archives, films, text and broken files under a picture's name; nothing is stored."""
    customer = await service.customer()
    whole = photo(600, 600)
    for kind, data in {
        "nothing": b"",
        "text": b"hello",
        "a page": b"<!doctype html><script>alert(1)</script>",
        "a drawing": b'<svg xmlns="http://www.w3.org/2000/svg" width="999" height="999"/>',
        "an archive": b"PK\x03\x04" + b"\x00" * 100,
        "a film": b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100,
        "a document": b"%PDF-1.7\n",
        "a WebP": b"RIFF\x24\x00\x00\x00WEBPVP8 " + b"\x00" * 100,
        "a TIFF": b"II*\x00" + b"\x00" * 100,
        "a beginning": whole[: len(whole) // 2],
        "a first byte": whole[:1],
        "JPEG's mark and noise": b"\xff\xd8\xff" + bytes(range(256)) * 20,
        "PNG's mark alone": PNG,
    }.items():
        assert outcome(await upload(customer, data)) == (422, "image_unreadable"), kind
    assert service.storage.pictures == {}
    assert await service.count("uploads") == 0


async def test_pictures_of_the_wrong_size_are_422(service: Service) -> None:
    """Under 256 pixels on the short side, or over 25 megapixels by their header."""
    customer = await service.customer()
    for data, code in (
        (photo(255, 1000), "image_too_small"),
        (photo(1000, 255, kind="PNG"), "image_too_small"),
        (photo(1, 1, kind="GIF"), "image_too_small"),
        (png_header(5001, 5000), "image_too_many_pixels"),
        (png_header(60_000, 60_000), "image_too_many_pixels"),
        (png_header(300, 2**31 - 1), "image_too_many_pixels"),
    ):
        response = await upload(customer, data)
        assert response.status_code == 422, code
        assert response.json()["code"] in {code, "image_unreadable"} if b"\x7f\xff\xff\xff" in data[:24] else {code}
    assert (await upload(customer, photo(256, 256))).status_code == 201


async def test_files_of_more_than_ten_megabytes_are_413(service: Service) -> None:
    """One byte over the limit is too much, whether the form or only the file is too large; the limit itself is not."""
    customer = await service.customer()
    picture = photo(300, 300)
    for size in (LARGEST_UPLOAD + 1, LARGEST_UPLOAD + 200_000):
        response = await upload(customer, picture.ljust(size, b"\x00"))
        assert outcome(response) == (413, "payload_too_large"), size
    assert (await upload(customer, picture.ljust(LARGEST_UPLOAD, b"\x00"))).status_code == 201


async def test_forms_that_make_no_sense_are_refused(service: Service) -> None:
    """No form, no file, text for a file, two files, other fields, broken and endless forms: 4xx, never more."""
    customer = await service.customer()
    form = {"Content-Type": "multipart/form-data; boundary=x"}

    def part(head: str, body: bytes = b"hello") -> bytes:
        return b"--x\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + body + b"\r\n"

    file = 'name="file"; filename="me.jpg"'
    for kind, headers, content in (
        ("no form", {"Content-Type": "application/json"}, b"{}"),
        ("a file in JSON", {"Content-Type": "application/json"}, b'{"file": "x"}'),
        ("no boundary", {"Content-Type": "multipart/form-data"}, part(file) + b"--x--\r\n"),
        ("an empty form", form, b"--x--\r\n"),
        ("nothing", form, b""),
        ("no parts", form, b"hello"),
        ("another field", form, part('name="photo"; filename="me.jpg"') + b"--x--\r\n"),
        ("text for a file", form, part('name="file"') + b"--x--\r\n"),
        ("a nameless part", form, part('filename="me.jpg"') + b"--x--\r\n"),
        ("a broken name", form, part('name="file"; filename="\\xff\\xfe"').replace(b"\\xff", b"\xff") + b"--x--\r\n"),
        ("a part without head", form, b"--x\r\n\r\nhello\r\n--x--\r\n"),
        ("no end", form, part(file)),
        ("two files", form, part(file, photo()) * 2 + b"--x--\r\n"),
        ("one more field", form, part(file, photo()) + part('name="role"', b"admin") + b"--x--\r\n"),
        ("too many fields", form, part('name="a"', b"") * 1100 + b"--x--\r\n"),
        ("a long head", form, part(f'name="file"; filename="{"x" * 30_000}"') + b"--x--\r\n"),
        ("a long boundary", {"Content-Type": f"multipart/form-data; boundary={'x' * 5000}"}, b"hello"),
    ):
        response = await customer.api.post("/image/upload", content=content, headers=headers)
        assert 400 <= response.status_code < 500, (kind, response.status_code, response.text)
        assert response.headers["Content-Type"] == "application/problem+json", kind
    assert await service.count("uploads") == 0


async def test_without_storage_an_upload_is_503_and_may_be_tried_again(service: Service) -> None:
    """`storage_unavailable` with `Retry-After`; nothing is recorded, and later it works."""
    customer = await service.customer()
    service.storage.is_away = True
    response = await upload(customer, photo())
    assert outcome(response) == (503, "storage_unavailable")
    assert int(response.headers["Retry-After"]) >= 1
    assert await service.count("uploads") == 0
    service.storage.is_away = False
    assert (await upload(customer, photo())).status_code == 201


async def test_a_form_is_not_decoded_and_not_read_for_strangers(service: Service) -> None:
    """A part that names a slow or unknown charset costs nothing: 400 for a customer, 401 for anybody else."""
    customer = await service.customer(credits=0)
    for charset in ("punycode", "nonsense", "zlib"):
        part = (
            f'--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: text/plain; charset={charset}\r\n\r\n'
        )
        form = part.encode() + b"a" * 200_000 + b"\r\n--b--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        assert (await customer.api.post("/image/upload", content=form, headers=headers)).status_code == 400
        assert (await service.browser().post("/image/upload", content=form, headers=headers)).status_code == 401


async def test_unfinished_uploads_are_bounded_and_told_to_wait(service: Service) -> None:
    """Sixteen of one network at most, however slow; when they have ended, the next is taken."""
    customer = await service.customer()
    finish = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"--b\r\n"
        await finish.wait()

    form = {"Content-Type": "multipart/form-data; boundary=b"}
    waiting = [asyncio.create_task(customer.api.post("/image/upload", content=slow(), headers=form)) for _ in range(16)]
    try:
        refused = await poll_until_refused(customer)
        assert refused.json()["code"] == "rate_limited"
        assert int(refused.headers["Retry-After"]) >= 1
    finally:
        finish.set()
        ended = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in ended} == {400}
    await customer.upload()


async def poll_until_refused(customer: Customer) -> httpx.Response:
    while True:
        answer = await customer.api.post("/image/upload", files={"file": ("me.jpg", photo())})
        if answer.status_code == 429:
            return answer
        assert answer.status_code == 201
