"""The gallery: its filters, favourites, and try-ons that are deleted with their pictures."""

import asyncio
from typing import Any

import pytest

from tests.integration.http.stories import Customer, Service
from tests.integration.http.test_bad_input import assert_problem
from tests.integration.http.test_profile_export import archive, document

MINUTES = 60


async def shown(customer: Customer, **query: Any) -> list[int]:
    return [item["id"] for item in (await customer.get("/user/images", **query))["items"]]


async def delete(customer: Customer, image_id: int) -> int:
    return (await customer.api.delete(f"/image/{image_id}")).status_code


# Filters


async def test_the_gallery_can_be_narrowed(service: Service) -> None:
    """By favourites, by style, by status, and by several of them; `next_cursor` goes on in the same part."""
    ada = await service.customer(credits=5)
    bob_cut, pixie = await service.style(), await service.style()
    images = [await ada.generate(style=style) for style in (bob_cut, pixie, bob_cut, pixie)]
    await service.work()
    waiting = await ada.generate(style=bob_cut)
    for image in (images[0], images[3], waiting):
        await ada.api.put(f"/image/{image}/favourite")
    assert await shown(ada, favourites="true") == [waiting, images[3], images[0]]
    assert await shown(ada, favourites="false") == [images[2], images[1]]
    assert await shown(ada, style_id=bob_cut) == [waiting, images[2], images[0]]
    assert await shown(ada, status="COMPLETED") == images[::-1]
    assert await shown(ada, status="PENDING", style_id=bob_cut, favourites="true") == [waiting]
    assert await shown(ada, status="FAILED") == await shown(ada, style_id=2**63 - 1) == []
    first = await ada.get("/user/images", style_id=bob_cut, limit=2)
    assert [item["id"] for item in first["items"]] == [waiting, images[2]]
    second = await ada.get("/user/images", style_id=bob_cut, limit=2, cursor=first["next_cursor"])
    assert ([item["id"] for item in second["items"]], second["next_cursor"]) == ([images[0]], None)


async def test_filters_that_make_no_sense_are_refused(service: Service) -> None:
    """400, and the field is named; statuses are upper case."""
    ada = await service.customer(credits=0)
    wrong: dict[str, list[Any]] = {
        "favourites": ["", "yes", "2", "maybe", "\x00"],
        "style_id": ["", "x", 0, -1, 2**63, 10**30, "1.5", "9" * 5000],
        "status": ["", "completed", "Pending", "DELETED", "PENDING,FAILED", "\x00"],
    }
    for field, values in wrong.items():
        for value in values:
            response = await ada.api.get("/user/images", params={field: value})
            problem = assert_problem(response, 400, "validation_failed", (field, value))
            assert [error["field"] for error in problem["errors"]] == [field]


# Favourites


async def test_a_favourite_is_marked_and_unmarked_however_often(service: Service) -> None:
    ada = await service.customer()
    image = await ada.generate()
    for method, expected in (("PUT", True), ("PUT", True), ("DELETE", False), ("DELETE", False)):
        response = await ada.api.request(method, f"/image/{image}/favourite")
        assert (response.status_code, response.content) == (204, b"")
        assert (await ada.status(image))["is_favourite"] is expected
        assert (await ada.get("/user/images"))["items"][0]["is_favourite"] is expected


async def test_a_mark_outlives_the_rendering(service: Service) -> None:
    ada = await service.customer()
    image = await ada.generate()
    await service.worker.drain()
    await ada.api.put(f"/image/{image}/favourite")
    await service.work()
    status = await ada.status(image)
    assert (status["status"], status["is_favourite"]) == ("COMPLETED", True)


# Deletion


async def test_a_deleted_try_on_is_gone_with_its_pictures(service: Service) -> None:
    """From the gallery, from status, from storage, from the export; the photo and the ledger stay as they are."""
    ada = await service.customer(credits=4)
    image, kept = await ada.generate(["front", "left"]), await ada.generate()
    await service.work()
    history = await ada.get("/user/credits/history")
    photos = (await ada.get("/user/uploads"))["items"]
    left = (await ada.status(kept))["output_image_url"]
    response = await ada.api.delete(f"/image/{image}")
    assert (response.status_code, response.content) == (204, b"")
    assert (await ada.api.get(f"/image/status/{image}")).status_code == 404
    assert await shown(ada) == [kept]
    await service.work()
    addresses = {f"https://pictures.test/{key}" for key in service.storage.pictures}
    assert addresses == {left, *(photo["image_input_url"] for photo in photos)}
    assert [exported["id"] for exported in document(await archive(ada), "images.json")] == [kept]
    assert await ada.get("/user/credits/history") == history
    assert (await ada.get("/user/uploads"))["items"] == photos
    await service.pass_time(10 * MINUTES)
    await service.work()
    assert await service.count("outbox") == 0


async def test_deleting_twice_deletes_once(service: Service) -> None:
    """One after the other, or at the same time."""
    ada = await service.customer()
    one, other = await ada.generate(), await ada.generate()
    assert [await delete(ada, one), await delete(ada, one)] == [204, 404]
    assert sorted(await asyncio.gather(*(delete(ada, other) for _ in range(3)))) == [204, 404, 404]


async def test_deleting_cancels_what_is_in_progress(service: Service) -> None:
    """The provider is told, the hold is void, and what still comes of it changes nothing and leaves no file."""
    ada = await service.customer()
    image = await ada.generate(["front", "right"])
    await service.worker.drain()
    assert await ada.credits() == (3, 2)
    assert await delete(ada, image) == 204
    assert await ada.credits() == (3, 0)
    await service.work_for(10 * MINUTES, step=5 * MINUTES)
    assert service.model.cancelled == list(service.model.predictions)
    assert await ada.credits() == (3, 0)
    assert service.storage.pictures == {}


async def test_a_picture_stored_while_its_try_on_went_is_found_later(service: Service) -> None:
    ada = await service.customer()
    image = await ada.generate()
    await service.worker.drain()
    folder = await service.database.fetchval("SELECT folder FROM images")
    await delete(ada, image)
    await service.work()
    late = f"images/{folder}/front-1.jpg"
    service.storage.pictures[late] = b"late"
    await service.pass_time(6 * MINUTES)
    await service.work()
    assert late not in service.storage.pictures


async def test_a_storage_that_is_away_is_waited_for(service: Service) -> None:
    ada = await service.customer()
    image = await ada.generate()
    await service.work()
    service.storage.is_away = True
    assert await delete(ada, image) == 204
    await service.work()
    assert len(service.storage.pictures) == 2
    service.storage.is_away = False
    await service.pass_time(10 * MINUTES)
    await service.work()
    assert len(service.storage.pictures) == 1


async def test_a_picture_that_two_try_ons_show_goes_with_the_last(service: Service) -> None:
    ada = await service.customer()
    style = await service.style()
    one, other = await ada.generate(style=style), await ada.generate(style=style)
    await service.work()
    await service.database.execute(
        "UPDATE views SET output_key = (SELECT output_key FROM views WHERE image_id = $1) WHERE image_id = $2",
        one,
        other,
    )
    address = (await ada.status(other))["output_image_url"]
    key = address.removeprefix("https://pictures.test/")
    await delete(ada, one)
    await service.work()
    assert key in service.storage.pictures
    await delete(ada, other)
    await service.work()
    assert key not in service.storage.pictures


async def test_a_try_on_may_be_deleted_and_then_its_account(service: Service) -> None:
    """The later look finds no record any more, and nothing is left to do."""
    ada = await service.customer(password_hash=None)
    await delete(ada, await ada.generate())
    await service.database.execute("UPDATE sessions SET signed_in_by = 'google'")
    assert (await ada.api.delete("/user/me")).status_code == 204
    await service.work_for(20 * MINUTES, step=5 * MINUTES)
    assert service.storage.pictures == {}
    assert (await service.count("images"), await service.count("outbox")) == (0, 0)


@pytest.mark.parametrize(("method", "path"), [("PUT", "/image/{}/favourite"), ("DELETE", "/image/{}")])
async def test_another_site_cannot_touch_the_gallery(service: Service, method: str, path: str) -> None:
    """A foreign origin is refused, whoever is signed in."""
    ada = await service.customer()
    image = await ada.generate()
    response = await ada.api.request(method, path.format(image), headers={"Origin": "https://evil.example"})
    assert_problem(response, 403, "csrf_rejected")
    assert (await ada.status(image))["is_favourite"] is False
