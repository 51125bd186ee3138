"""Whatever happens, in the end storage holds just the files that some record names."""

import random
from collections.abc import Awaitable, Callable

import pytest

from domain.errors import Unavailable
from tests.factories import photo
from tests.integration.http.stories import Customer, Service

HOUR = 3600
STEPS = 40
NAMED = """
    SELECT key FROM uploads
    UNION SELECT output_key FROM views JOIN images ON images.id = image_id
        WHERE images.deleted_at IS NULL AND views.status = 'COMPLETED'
    UNION SELECT profile_picture FROM users WHERE profile_picture IS NOT NULL
"""


class Life:
    """A customer who does what comes to mind, on a storage that fails now and then."""

    def __init__(self, service: Service, customer: Customer, style: int, chance: random.Random) -> None:
        self._service = service
        self._customer = customer
        self._style = style
        self._chance = chance
        self._photos: list[str] = []
        self._images: list[int] = []
        self._forms: list[str] = []
        self._portraits = [photo() for _ in range(2)]

    async def live(self) -> None:
        deeds: list[Callable[[], Awaitable[object]]] = [
            self._upload,
            self._begin,
            self._send,
            self._complete,
            self._try_on,
            self._try_on,
            self._delete,
            self._cancel,
            self._change_picture,
            self._lose_an_answer,
            self._outage,
            self._service.work,
            self._service.worker.drain,
            lambda: self._service.pass_time(self._chance.choice([60, 400, 5 * HOUR])),
            self._service.keep_house,
        ]
        for _ in range(STEPS):
            await self._chance.choice(deeds)()

    async def _upload(self) -> None:
        file = {"file": ("me.jpg", self._chance.choice([*self._portraits, b"no picture"]))}
        response = await self._customer.api.post("/image/upload", files=file)
        if response.status_code == 201:
            self._photos.append(response.json()["image_input_url"])

    async def _begin(self) -> None:
        response = await self._customer.api.post("/image/upload-url")
        if response.status_code == 201:
            self._forms.append(response.json()["key"])

    async def _send(self) -> None:
        if self._forms:
            sent = self._chance.choice([*self._portraits, b"no picture"])
            # A form is good for a quarter of an hour.
            fresh = "SELECT key FROM expected_files WHERE key = ANY($1) AND created_at > now() - interval '15 minutes'"
            for row in await self._service.database.fetch(fresh, self._forms):
                self._service.storage.pictures[row["key"]] = sent

    async def _complete(self) -> None:
        if self._forms:
            key = self._chance.choice(self._forms)
            response = await self._customer.api.post("/image/upload-complete", json={"key": key})
            if response.status_code == 201:
                self._photos.append(response.json()["image_input_url"])

    async def _try_on(self) -> None:
        if self._photos:
            views = self._chance.choice([["front"], ["front", "left"]])
            reuse = self._chance.random() < 0.7
            order = {"style_id": self._style, "image_input_url": self._chance.choice(self._photos), "views": views}
            response = await self._customer.ask(order | {"reuse": reuse})
            assert response.status_code in {202, 422}, response.text
            if response.status_code == 202:
                self._images.append(response.json()["image_id"])

    async def _delete(self) -> None:
        if self._images:
            image = self._images.pop(self._chance.randrange(len(self._images)))
            assert (await self._customer.api.delete(f"/image/{image}")).status_code == 204

    async def _cancel(self) -> None:
        if self._images:
            await self._customer.api.post(f"/image/{self._chance.choice(self._images)}/cancel")

    async def _change_picture(self) -> None:
        await self._customer.api.put("/user/me/picture", files={"file": ("me.jpg", self._portraits[0])})

    async def _lose_an_answer(self) -> None:
        """The next file is stored, and whoever stored it is told that it was not."""
        storage = self._service.storage
        put = storage.put

        async def put_and_fail(key: str, data: bytes, *, content_type: str = "image/jpeg") -> None:
            storage.put = put  # type: ignore[method-assign]
            await put(key, data, content_type=content_type)
            raise Unavailable("storage_unavailable", "The answer got lost.")

        storage.put = put_and_fail  # type: ignore[method-assign]

    async def _outage(self) -> None:
        self._service.storage.is_away = not self._service.storage.is_away


@pytest.mark.parametrize("seed", range(4))
async def test_in_the_end_every_file_has_a_record_and_every_record_its_file(service: Service, seed: int) -> None:
    chance = random.Random(seed)
    customer = await service.customer(credits=200)
    await Life(service, customer, await service.style(), chance).live()
    service.storage.is_away = False
    for _ in range(3):
        await service.work_for(30 * 60, step=5 * 60)
        await service.pass_time(12 * HOUR)
        await service.keep_house()
    assert await service.count("outbox") == 0
    assert {row["key"] for row in await service.database.fetch(NAMED)} == set(service.storage.pictures)
    assert await service.count("expected_files") == 0


async def test_photos_that_nobody_tried_on_leave_after_thirty_days(service: Service) -> None:
    """What is in use stays, and what was used and deleted has left long before."""
    ada = await service.customer()
    unused, used = await ada.upload(), await ada.upload_address()
    image = await ada.generate()
    await service.work()
    await service.database.execute("UPDATE uploads SET created_at = created_at - interval '30 days'")
    await service.keep_house()
    assert [item["image_input_url"] for item in (await ada.get("/user/uploads"))["items"]] == [used]
    assert unused.removeprefix("https://pictures.test/") not in service.storage.pictures
    assert (await ada.status(image))["input_image_url"] == used


async def test_a_photo_follows_its_last_try_on_minutes_later(service: Service) -> None:
    """Until then it can be picked again; and then there is no such photo."""
    ada = await service.customer()
    image = await ada.generate()
    await service.work()
    await ada.api.delete(f"/image/{image}")
    await service.work()
    assert len((await ada.get("/user/uploads"))["items"]) == 1
    await service.pass_time(6 * 60)
    await service.work()
    assert (await ada.get("/user/uploads"))["items"] == []
    assert service.storage.pictures == {}
    refused = await ada.ask(await ada.order())
    assert (refused.status_code, refused.json()["code"]) == (422, "image_url_not_allowed")


async def test_deleting_what_was_cancelled_does_not_make_it_uncounted(service: Service) -> None:
    """Five cancellations a day of what was begun, however many of the try-ons are deleted with their photos."""
    ada = await service.customer(credits=9)
    style = await service.style()
    for _ in range(5):
        image = await ada.generate(style=style)
        await service.worker.drain()
        assert (await ada.api.post(f"/image/{image}/cancel")).status_code == 202
        await ada.api.delete(f"/image/{image}")
    await service.pass_time(10 * 60)
    await service.work()
    assert await service.count("uploads") == 0
    ada._photo = ""
    image = await ada.generate(style=style)
    await service.worker.drain()
    assert (await ada.api.post(f"/image/{image}/cancel")).status_code == 409
    await service.work()
