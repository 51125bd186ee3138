"""Pictures on disk: addresses that need no session, expire, and cannot be made up."""

import time

import httpx
import pytest

from infrastructure.storage.disk import DiskStorage
from tests.integration.http.conftest import Start
from tests.integration.http.stories import Service


@pytest.fixture
async def service(start: Start) -> Service:
    return await start(real_storage=True)


def outcome(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def storage_at(service: Service, moment: float, secret: str = "") -> DiskStorage:
    """The storage as it was or will be at this time, or with another secret."""
    settings = service.settings
    secrets = [secret or settings.secret_key]
    return DiskStorage(settings.media_folder, public_url=settings.public_url, secrets=secrets, now=lambda: moment)


async def test_a_picture_is_shown_to_whoever_holds_its_address(service: Service) -> None:
    """No session is needed; the answer says what it is and for how long a browser may keep it."""
    customer = await service.customer()
    address = await customer.upload()
    assert address.startswith("https://api.example.com/media/uploads/")
    response = await service.browser().get(address)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Cache-Control"].startswith("private, max-age=")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.content.startswith(b"\xff\xd8\xff")


async def test_thumbnails_are_shown_too(service: Service) -> None:
    """The catalogue's addresses lead to pictures of their own type."""
    await storage_at(service, time.time()).put("styles/bob.png", b"\x89PNG", content_type="image/png")
    await service.style(thumbnail="styles/bob.png")
    (style,) = (await service.browser().get("/image/styles")).json()["items"]
    response = await service.browser().get(style["thumbnail_url"])
    assert (response.status_code, response.headers["Content-Type"], response.content) == (200, "image/png", b"\x89PNG")


async def test_an_address_expires(service: Service) -> None:
    """One made two hours ago is 404, one made half an hour ago still works."""
    customer = await service.customer()
    key = httpx.URL(await customer.upload()).path.removeprefix("/media/")
    for age, status in ((7200, 404), (1700, 200)):
        address = await storage_at(service, time.time() - age).url(key)
        assert (await service.browser().get(address)).status_code == status, age


async def test_an_address_cannot_be_made_up(service: Service) -> None:
    """Without the signature, with another's, with a longer life, and for another key: 404 alike."""
    customer = await service.customer()
    address, other = httpx.URL(await customer.upload()), httpx.URL(await customer.upload())
    later = str(int(address.params["expires"]) + 3600)
    forged = await storage_at(service, time.time(), secret="another secret of enough length!").url("uploads/x.jpg")
    for kind, url in {
        "no query": address.copy_with(query=None),
        "no signature": address.copy_remove_param("signature"),
        "no expiry": address.copy_remove_param("expires"),
        "an empty signature": address.copy_set_param("signature", ""),
        "another signature": address.copy_set_param("signature", other.params["signature"]),
        "a longer life": address.copy_set_param("expires", later),
        "an expiry that is no number": address.copy_set_param("expires", "never"),
        "an expiry of many digits": address.copy_set_param("expires", "9" * 20),
        "another key": address.copy_with(path=other.path),
        "another secret": httpx.URL(forged),
        "bytes that are no text": address.copy_with(query=b"expires=%ff&signature=%ff"),
    }.items():
        assert outcome(await service.browser().get(url)) == (404, "not_found"), kind
    assert (await service.browser().get(address)).status_code == 200


async def test_a_signature_opens_no_other_folder(service: Service) -> None:
    """Keys with dots, slashes, NULs and percent signs lead nowhere, even when they are signed."""
    (service.settings.media_folder.parent / "secret.txt").write_text("secret")
    storage = storage_at(service, time.time())
    for key in (
        "../secret.txt",
        "uploads/../../secret.txt",
        "/etc/passwd",
        "uploads",
        ".",
        "",
        "a\x00b.jpg",
        "%2e%2e/x",
    ):
        response = await service.browser().get((await storage.url(key)).replace("\x00", "%00"))
        assert response.status_code == 404, key


async def test_a_picture_that_is_gone_is_404(service: Service) -> None:
    """A valid address of a file that was deleted."""
    customer = await service.customer()
    address = httpx.URL(await customer.upload())
    await storage_at(service, time.time()).delete(address.path.removeprefix("/media/"))
    assert outcome(await service.browser().get(address)) == (404, "not_found")


async def test_pictures_can_only_be_read(service: Service) -> None:
    """Other methods are 405 and change nothing."""
    customer = await service.customer()
    address = await customer.upload()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await service.browser().request(method, address)).status_code == 405, method
    assert (await service.browser().get(address)).status_code == 200
