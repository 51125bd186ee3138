"""Taking everything along: the uploads to pick from again, and the archive of all there is."""

import asyncio
import io
import json
import re
import zipfile
from typing import Any

import pytest
from litestar.exceptions import LitestarException

from bootstrap.container.persistence import READ_CONNECTIONS, WRITE_CONNECTIONS
from tests.factories import photo
from tests.integration.http.shop import buy
from tests.integration.http.stories import Customer, Service

DOCUMENTS = [
    *("identities.json", "images.json", "ledger.json", "profile.json", "sessions.json", "transactions.json"),
    "uploads.json",
]


async def archive(customer: Customer) -> zipfile.ZipFile:
    response = await customer.api.get("/user/me/export")
    assert response.status_code == 200, response.text
    opened = zipfile.ZipFile(io.BytesIO(response.content))
    assert opened.testzip() is None
    return opened


def document(opened: zipfile.ZipFile, name: str) -> Any:
    return json.loads(opened.read(name).decode("utf-8"))


# Uploads


async def test_uploads_are_listed_as_they_were_answered(service: Service) -> None:
    """The newest first, on pages, with the time they came; any of them can be picked for a try-on again."""
    ada = await service.customer()
    answers = []
    for size in ((300, 400), (500, 400), (600, 600)):
        response = await ada.api.post("/image/upload", files={"file": ("me.jpg", photo(*size))})
        answers.append(response.json())
    first = await ada.get("/user/uploads", limit=2)
    second = await ada.get("/user/uploads", limit=2, cursor=first["next_cursor"])
    assert second["next_cursor"] is None
    listed = first["items"] + second["items"]
    times = [item.pop("created_at") for item in listed]
    assert listed == answers[::-1]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", time) for time in times)
    assert times == sorted(times, reverse=True)
    body = await ada.order(image_input_url=listed[1]["image_input_url"])
    assert (await ada.ask(body)).status_code == 202


async def test_uploads_of_others_are_not_listed(service: Service) -> None:
    ada, bob = await service.customer(), await service.customer()
    await bob.upload()
    assert await ada.get("/user/uploads") == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": "many"}, {"cursor": "!"}, {"cursor": "LTE"}, {"cursor": ""}]
)
async def test_nonsense_about_pages_of_uploads_is_refused(service: Service, query: dict[str, Any]) -> None:
    ada = await service.customer()
    response = await ada.api.get("/user/uploads", params=query)
    assert (response.status_code, response.json()["code"]) == (400, "validation_failed")
    assert [error["field"] for error in response.json()["errors"]] == list(query)


# The archive


async def test_an_export_holds_everything(service: Service) -> None:
    """The profile, the ledger, uploads and try-ons as JSON that people can read, and every picture as its bytes."""
    ada = await service.customer(credits=4, name="Ada Žižková")
    await ada.api.put("/user/me/picture", files={"file": ("me.jpg", photo())})
    style = await service.style(name="Long Bob")
    image_id = await ada.generate(("front", "left"), style=style)
    await service.work()
    spare = await ada.upload()
    waiting = await ada.generate(style=style)
    await buy(service, ada, 2)
    status, profile = await ada.status(image_id), await ada.get("/user/me")
    opened = await archive(ada)

    uploads = document(opened, "uploads.json")
    images = document(opened, "images.json")
    files = {name: opened.read(name) for name in opened.namelist()}
    front, left = f"pictures/images/{image_id}-front.jpg", f"pictures/images/{image_id}-left.jpg"
    photos = [upload["file"] for upload in uploads]
    assert sorted(files) == sorted([*DOCUMENTS, "pictures/profile.jpg", front, left, *photos])

    def kept(address: str) -> bytes:
        return service.storage.pictures[address.removeprefix("https://pictures.test/")]

    assert files["pictures/profile.jpg"] == kept(profile["profile_picture"])
    assert files[front] == kept(status["output_image_url"])
    assert files[left] == kept(status["left_view_url"])
    assert [files[name] for name in photos] == [kept(spare), kept(status["input_image_url"])]

    assert document(opened, "profile.json") == profile | {"profile_picture": "pictures/profile.jpg"}
    assert document(opened, "sessions.json") == (await ada.get("/auth/sessions"))["items"]
    assert document(opened, "ledger.json") == (await ada.get("/user/credits/history"))["items"]
    assert document(opened, "transactions.json") == (await ada.get("/payment/transactions"))["items"] != []
    assert [(image["id"], image["style"], image["status"]) for image in images] == [
        (waiting, "Long Bob", "PENDING"),
        (image_id, "Long Bob", "COMPLETED"),
    ]
    assert images[1]["input_file"] == images[0]["input_file"] == photos[1]
    assert [(view["view"], view["file"]) for view in images[1]["views"]] == [("front", front), ("left", left)]
    assert [(view["view"], view["file"]) for view in images[0]["views"]] == [("front", None)]
    assert files["profile.json"].decode("utf-8").startswith('{\n  "id": ')
    assert "Ada Žižková" in files["profile.json"].decode("utf-8")


async def test_an_export_is_saved_and_kept_by_nobody_else(service: Service) -> None:
    """A ZIP to be saved under a name, which no cache may keep."""
    response = await (await service.customer()).api.get("/user/me/export")
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == 'attachment; filename="hair-tryon-export.zip"'
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Request-ID"]


async def test_an_export_of_a_newcomer_is_whole(service: Service) -> None:
    """Nothing is told as nothing: empty lists."""
    opened = await archive(await service.customer(credits=0))
    assert sorted(opened.namelist()) == DOCUMENTS
    empty = ("identities.json", "images.json", "ledger.json", "transactions.json", "uploads.json")
    assert [document(opened, name) for name in empty] == [[]] * len(empty)
    assert document(opened, "profile.json")["profile_picture"] is None


async def test_an_export_has_nothing_of_anybody_else(service: Service) -> None:
    """Another's try-ons, uploads, ledger, picture, name and address are in no file of it."""
    ada = await service.customer(credits=2)
    bob = await service.customer(credits=2, name="Robert Tables")
    await bob.api.put("/user/me/picture", files={"file": ("me.jpg", photo())})
    for customer in (bob, ada, bob):
        await customer.generate()
    await service.work()
    opened = await archive(ada)
    everything = b"".join(opened.read(name) for name in opened.namelist())
    assert b"Robert Tables" not in everything
    assert bob.email.encode() not in everything
    mine = {item["id"] for item in (await ada.get("/user/images"))["items"]}
    assert {image["id"] for image in document(opened, "images.json")} == mine
    assert len([name for name in opened.namelist() if name.startswith("pictures/")]) == 2
    assert document(opened, "profile.json")["id"] == ada.id


async def test_a_picture_that_is_gone_is_named_in_the_export(service: Service) -> None:
    """It is left out, the rest is there, and its record still tells of it."""
    ada = await service.customer()
    image_id = await ada.generate()
    await service.work()
    address = (await ada.status(image_id))["output_image_url"]
    del service.storage.pictures[address.removeprefix("https://pictures.test/")]
    opened = await archive(ada)
    assert opened.read("missing.txt").decode() == f"pictures/images/{image_id}-front.jpg\n"
    assert f"pictures/images/{image_id}-front.jpg" not in opened.namelist()
    assert [image["id"] for image in document(opened, "images.json")] == [image_id]


async def test_an_export_that_cannot_begin_is_a_problem(service: Service) -> None:
    """Without storage: 503, before the first byte of an archive."""
    ada = await service.customer()
    service.storage.is_away = True
    response = await ada.api.get("/user/me/export")
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "Content-Disposition" not in response.headers


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
async def test_an_export_is_only_fetched(service: Service, method: str) -> None:
    ada = await service.customer()
    response = await ada.api.request(method, "/user/me/export")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


class SlowReader:
    """A client, as a server hands it to the application, that takes the first bytes and then nothing for a while."""

    def __init__(self, customer: Customer) -> None:
        self.has_begun, self.goes_on, self._has_all = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._token = customer.api.headers["Authorization"].encode()
        self._has_asked = False
        self._body = b""

    async def export(self, app: Any) -> zipfile.ZipFile:
        path = "/api/v1/user/me/export"
        await app(
            {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.3"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "https",
                "path": path,
                "raw_path": path.encode(),
                "root_path": "",
                "query_string": b"",
                "headers": [(b"authorization", self._token)],
                "client": ("203.0.113.7", 50_000),
                "server": ("api.example.com", 443),
            },
            self._receive,
            self._send,
        )
        return self.opened()

    def opened(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(io.BytesIO(self._body))

    async def _receive(self) -> Any:
        if self._has_asked:
            await self._has_all.wait()
            return {"type": "http.disconnect"}
        self._has_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Any) -> None:
        self._body += message.get("body", b"")
        if self._body:
            self.has_begun.set()
            await self.goes_on.wait()
        if not message.get("more_body", True):
            self._has_all.set()


async def test_readers_of_exports_hold_up_nobody(service: Service) -> None:
    """There are more of them than connections, and none keeps one while it is not reading; then each gets the whole."""
    ada = await service.customer()
    await ada.upload()
    readers = [SlowReader(ada) for _ in range(READ_CONNECTIONS + WRITE_CONNECTIONS + 1)]
    async with asyncio.TaskGroup() as at_once:
        exports = [at_once.create_task(reader.export(service.app)) for reader in readers]
        for reader in readers:
            await reader.has_begun.wait()
        assert (await ada.get("/user/me"))["id"] == ada.id
        assert (await ada.api.patch("/user/me", json={"name": "Ada"})).status_code == 200
        for reader in readers:
            reader.goes_on.set()
    assert {len(export.result().namelist()) for export in exports} == {len(DOCUMENTS) + 1}


async def test_an_export_that_cannot_go_on_is_cut_off(service: Service) -> None:
    """Storage goes away in its midst: the server is told, so that nobody takes a half for the whole."""
    ada = await service.customer()
    await ada.upload()
    reader = SlowReader(ada)
    export = asyncio.create_task(reader.export(service.app))
    await reader.has_begun.wait()
    service.storage.is_away = True
    reader.goes_on.set()
    with pytest.raises(LitestarException, match="after response started"):
        await export
    with pytest.raises(zipfile.BadZipFile):
        reader.opened()


async def test_the_document_tells_of_a_file(service: Service) -> None:
    """The OpenAPI document describes the archive by its type, and pictures as forms of one file."""
    paths = (await service.browser().get(service.root("/schema/openapi.json"))).json()["paths"]
    export = paths["/api/v1/user/me/export"]["get"]
    assert list(export["responses"]["200"]["content"]) == ["application/zip"]
    assert set(export["responses"]) >= {"200", "401", "403", "429", "503"}
    picture = paths["/api/v1/user/me/picture"]["put"]
    assert list(picture["requestBody"]["content"]) == ["multipart/form-data"]
