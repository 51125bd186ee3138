"""Photos that a browser sends straight to storage: the form, what it permits, and what becomes of the file."""

import asyncio
import time
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from application.images.begin_upload import MOST_OPEN
from domain.uploads import LARGEST_UPLOAD
from infrastructure.storage.disk import DiskStorage
from tests.factories import photo
from tests.integration.http.conftest import Start
from tests.integration.http.stories import Customer, Service
from tests.integration.http.test_bad_input import assert_problem
from tests.integration.http.test_pictures import png_header

DAY = 24 * 3600
FORM = "/media-upload"


@pytest.fixture
async def service(start: Start) -> Service:
    return await start(real_storage=True)


async def begin(customer: Customer) -> Any:
    response = await customer.api.post("/image/upload-url")
    assert response.status_code == 201, response.text
    return response.json()


async def send(service: Service, form: Any, data: bytes, **changed: str) -> httpx.Response:
    """As a browser would, without any session: the fields first, the file last."""
    fields = form["fields"] | changed
    return await service.browser().post(form["url"], data=fields, files={"file": ("me.jpg", data, "image/jpeg")})


async def complete(customer: Customer, key: str) -> httpx.Response:
    return await customer.api.post("/image/upload-complete", json={"key": key})


def files(service: Service) -> set[str]:
    root = service.settings.media_folder
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def gif_of(frames: int) -> bytes:
    file = BytesIO()
    pictures = [Image.new("P", (300, 300), number % 256) for number in range(frames)]
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


async def test_a_photo_goes_to_storage_and_is_completed(service: Service) -> None:
    """The answer is an upload's; the photo can be tried on, is listed, and the file that came is gone."""
    ada = await service.customer()
    form = await begin(ada)
    assert set(form) == {"key", "url", "fields", "expires_in"}
    assert (form["url"], form["expires_in"]) == (service.root(FORM), 900)
    sent = await send(service, form, photo(300, 400, kind="PNG"))
    assert (sent.status_code, sent.content) == (204, b"")
    response = await complete(ada, form["key"])
    assert response.status_code == 201, response.text
    uploaded = response.json()
    assert (uploaded["width"], uploaded["height"], uploaded["content_type"]) == (300, 400, "image/jpeg")
    (listed,) = (await ada.get("/user/uploads"))["items"]
    assert {name: listed[name] for name in uploaded} == uploaded
    order = {"style_id": await service.style(), "image_input_url": uploaded["image_input_url"]}
    assert (await ada.ask(order)).status_code == 202
    await service.work()
    assert not any(name.startswith("incoming/") for name in files(service))


async def test_completing_again_or_at_once_is_one_photo(service: Service) -> None:
    ada = await service.customer()
    form = await begin(ada)
    await send(service, form, photo())
    answers = await asyncio.gather(*(complete(ada, form["key"]) for _ in range(5)))
    await service.work()
    answers.append(await complete(ada, form["key"]))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await service.count("uploads") == 1
    assert len(files(service)) == 1


async def test_what_a_form_does_not_say_is_refused(service: Service) -> None:
    """Another key, size, expiry, signature or field, and a form made with another secret: 403, and nothing is kept."""
    ada = await service.customer()
    form, other = await begin(ada), await begin(ada)
    stored = (await ada.upload()).partition("/media/")[2].partition("?")[0]
    before = files(service)
    foreign = DiskStorage(service.settings.media_folder, public_url="https://x.example", secrets=["other" * 8])
    forged = (await foreign.form(form["key"], largest=LARGEST_UPLOAD, seconds=900)).fields
    changes: list[dict[str, str]] = [
        {"key": other["key"]},
        {"key": stored},
        {"key": "../../etc/passwd"},
        {"largest": str(10**9)},
        {"expires": str(int(time.time()) + DAY)},
        {"expires": "never"},
        {"signature": "0" * 40},
        {"signature": ""},
        {"acl": "public-read"},
        forged,
    ]
    for changed in changes:
        assert_problem(await send(service, form, photo(), **changed), 403, "forbidden", changed)
    assert files(service) == before


async def test_a_form_that_has_expired_is_refused(service: Service) -> None:
    ada = await service.customer()
    form = await begin(ada)
    settings = service.settings
    past = DiskStorage(
        settings.media_folder,
        public_url=settings.public_url,
        secrets=[settings.secret_key],
        now=lambda: time.time() - 901,
    )
    expired = await past.form(form["key"], largest=LARGEST_UPLOAD, seconds=900)
    assert_problem(await send(service, {"url": form["url"], "fields": expired.fields}, photo()), 403, "forbidden")
    assert files(service) == set()


async def test_a_file_may_have_ten_megabytes(service: Service) -> None:
    """One byte more is 413, and no bytes are 400; nothing is kept of either."""
    ada = await service.customer()
    form = await begin(ada)
    assert_problem(await send(service, form, b"x" * (LARGEST_UPLOAD + 1)), 413, "payload_too_large")
    assert_problem(await send(service, form, b"x" * (11 * 1024 * 1024)), 413, "payload_too_large")
    assert_problem(await send(service, form, b""), 400, "validation_failed")
    assert files(service) == set()
    assert (await send(service, form, photo().ljust(LARGEST_UPLOAD, b"\x00"))).status_code == 204
    assert (await complete(ada, form["key"])).status_code == 201


async def test_forms_that_make_no_sense_are_refused(service: Service) -> None:
    """The file before its fields, two files, text for a file, broken and endless forms, no form: 4xx, never more."""
    ada = await service.customer()
    form = await begin(ada)

    def part(name: str, value: bytes, *, file: bool = False) -> bytes:
        filename = '; filename="me.jpg"' if file else ""
        return b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (
            name.encode(),
            filename.encode(),
            value,
        )

    fields = b"".join(part(name, value.encode()) for name, value in form["fields"].items())
    file, end = part("file", photo(), file=True), b"--x--\r\n"
    bodies = {
        "the file first": file + fields + end,
        "a field after the file": fields + file + part("more", b"x") + end,
        "two files": fields + file + file + end,
        "a file as a field": part("key", b"x", file=True) + file + end,
        "a field twice": fields + part("key", b"x") + file + end,
        "no file": fields + end,
        "no end": fields + file,
        "nothing": b"",
        "a long field": part("key", b"x" * 5_000) + file + end,
        "many fields": b"".join(part(f"a{number}", b"") for number in range(50)) + file + end,
        "no text": part("key", b"\xff\xfe") + file + end,
        "a nameless part": part("", b"x") + file + end,
    }
    for kind, body in bodies.items():
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        response = await service.browser().post(form["url"], content=body, headers=headers)
        assert 400 <= response.status_code < 500, (kind, response.status_code)
        assert response.headers["Content-Type"] == "application/problem+json", kind
    for content_type in ("application/json", "text/plain", "multipart/form-data"):
        headers = {"Content-Type": content_type}
        response = await service.browser().post(form["url"], content=fields + file + end, headers=headers)
        assert response.status_code in {400, 415}, content_type
    assert files(service) == set()


async def test_only_our_own_frontend_may_send_a_form_from_a_browser(service: Service) -> None:
    ada = await service.customer()
    form = await begin(ada)
    for origin, status in (("https://evil.example", 403), ("https://app.example.com", 204)):
        response = await service.browser(Origin=origin).post(
            form["url"], data=form["fields"], files={"file": ("me.jpg", photo())}
        )
        assert response.status_code == status, origin
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.com"


async def test_what_was_sent_is_shown_to_nobody_as_it_came(service: Service) -> None:
    """No address of it is ever signed, so that no page can hide under a picture's name."""
    ada = await service.customer()
    form = await begin(ada)
    await send(service, form, b"<script>alert(1)</script>")
    address = f"{service.root('/media')}/{form['key']}"
    signed = {"expires": form["fields"]["expires"], "signature": form["fields"]["signature"]}
    for query in ({}, signed):
        assert (await service.browser().get(address, params=query)).status_code == 404


async def test_before_anything_was_sent_it_is_409(service: Service) -> None:
    ada = await service.customer()
    form = await begin(ada)
    assert_problem(await complete(ada, form["key"]), 409, "conflict")
    await send(service, form, photo())
    assert (await complete(ada, form["key"])).status_code == 201


async def test_anothers_upload_is_as_absent_as_none(service: Service) -> None:
    """Byte for byte, headers included; and its owner can still complete it."""
    ada, eve = await service.customer(), await service.customer()
    form = await begin(ada)
    await send(service, form, photo())
    same = {"X-Request-ID": "the-same-id"}
    answers = [
        await eve.api.post("/image/upload-complete", json={"key": key}, headers=same)
        for key in (form["key"], "incoming/" + "A" * 32, "", "uploads/x.jpg", "../x", "a\x00b")
    ]
    for answer in answers:
        assert_problem(answer, 404, "not_found")
        assert answer.content == answers[0].content
        assert answer.headers == answers[0].headers
    assert (await complete(ada, form["key"])).status_code == 201


async def test_what_is_no_photo_is_refused_like_an_upload_and_goes(service: Service) -> None:
    """The upload has ended with it; the same form used once more leaves nothing behind either."""
    ada = await service.customer()
    for data, code in (
        (b"<svg/>", "image_unreadable"),
        (photo()[:500], "image_unreadable"),
        (photo(255, 300), "image_too_small"),
        (png_header(60_000, 60_000), "image_too_many_pixels"),
    ):
        form = await begin(ada)
        await send(service, form, data)
        assert_problem(await complete(ada, form["key"]), 422, code)
        assert_problem(await complete(ada, form["key"]), 404, "not_found")
        await service.work()
        assert form["key"] not in files(service)
        await send(service, form, data)
    await service.pass_time(DAY)
    await service.keep_house()
    assert files(service) == set()


async def test_a_gif_of_many_frames_is_its_first(service: Service) -> None:
    ada = await service.customer()
    form = await begin(ada)
    await send(service, form, gif_of(1_000))
    response = await complete(ada, form["key"])
    assert (response.status_code, response.json()["width"]) == (201, 300)


async def test_what_is_never_completed_is_swept_within_a_day(service: Service) -> None:
    """And so is what was sent with a form that had served; a photo of it stays."""
    ada = await service.customer()
    never, served = await begin(ada), await begin(ada)
    for form in (never, served):
        await send(service, form, photo())
    assert (await complete(ada, served["key"])).status_code == 201
    await service.work()
    await send(service, served, photo())
    await service.pass_time(DAY - 60)
    await service.keep_house()
    assert {never["key"], served["key"]} < files(service)
    await service.pass_time(120)
    await service.keep_house()
    (left,) = files(service)
    assert left.startswith("uploads/")
    assert await service.count("expected_files") == 0
    for form in (never, served):
        assert_problem(await complete(ada, form["key"]), 404, "not_found")


async def test_open_forms_are_bounded(service: Service) -> None:
    """However many are begun at once; `Retry-After` says when the oldest expires, and with it the bound."""
    ada, bob = await service.customer(), await service.customer()
    answers = await asyncio.gather(*(ada.api.post("/image/upload-url") for _ in range(MOST_OPEN + 5)))
    begun = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(begun) == MOST_OPEN
    for answer in refused:
        assert_problem(answer, 429, "rate_limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 900
    await begin(bob)
    form = begun[0].json()
    await send(service, form, photo())
    await complete(ada, form["key"])
    await begin(ada)
    assert_problem(await ada.api.post("/image/upload-url"), 429, "rate_limited")
    await service.pass_time(901)
    await begin(ada)


async def test_who_is_not_signed_in_gets_no_form(service: Service) -> None:
    stranger = service.browser()
    assert_problem(await stranger.post("/image/upload-url"), 401, "not_authenticated")
    answer = await stranger.post("/image/upload-complete", json={"key": "incoming/x"})
    assert_problem(answer, 401, "not_authenticated")


async def test_with_a_bucket_the_api_takes_no_files_itself(start: Start) -> None:
    service = await start(STORAGE="s3", BUCKET_NAME="pictures", AWS_REGION="eu-central-1")
    response = await service.browser().post(service.root(FORM), files={"file": ("me.jpg", photo())})
    assert response.status_code == 404


async def test_an_erased_account_leaves_no_file_behind(service: Service) -> None:
    """Neither what waits to be completed, nor what is sent with a form that is still good."""
    ada = await service.customer(password_hash=None)
    waiting, late = await begin(ada), await begin(ada)
    await send(service, waiting, photo())
    await service.database.execute("UPDATE sessions SET signed_in_by = 'google'")
    assert (await ada.api.delete("/user/me")).status_code == 204
    await service.work()
    assert files(service) == set()
    await service.pass_time(600)
    await service.work()
    await send(service, late, photo())
    await service.pass_time(DAY)
    await service.keep_house()
    assert files(service) == set()
    assert await service.count("expected_files") == 0
