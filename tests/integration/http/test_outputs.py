"""From a finished prediction to a stored picture: outputs that are none, and storage that is away."""

from typing import Any

from application.images.ports import BadOutput, OutputUnavailable
from tests.factories import photo
from tests.fakes import OUTPUT
from tests.integration.http.conftest import Start
from tests.integration.http.stories import Service


async def test_outputs_that_name_no_address_are_bad(service: Service) -> None:
    """FAILED `provider_bad_output` after one create each, nothing fetched, the credit back."""
    customer = await service.customer(credits=1)
    outputs: list[Any] = [None, [], {"url": OUTPUT}, 7, [None], [[OUTPUT]], [{"url": OUTPUT}], True]
    for output in outputs:
        image = await customer.generate()
        service.model.plan("succeeded", output=output)
        await service.work()
        await service.pass_time(5)
        await service.work()
        assert await customer.views(image) == {"front": ("FAILED", "provider_bad_output")}, output
        assert await customer.credits() == (1, 0)
    assert service.downloads.fetched == []
    assert len(service.model.orders) == len(outputs)


async def test_of_several_addresses_the_first_is_taken(service: Service) -> None:
    """One address alone, or the first of two."""
    customer = await service.customer(credits=2)
    for output in (OUTPUT, [OUTPUT, "https://provider.test/second.jpg"]):
        image = await customer.generate()
        service.model.plan("succeeded", output=output)
        await service.work()
        assert (await customer.status(image))["status"] == "COMPLETED"
    assert service.downloads.fetched == [OUTPUT] * 2


async def test_what_is_no_picture_is_bad_output(service: Service) -> None:
    """It gets the same care as an upload: FAILED `provider_bad_output`, nothing stored, nothing charged."""
    customer = await service.customer(credits=1)
    await customer.upload_address()
    stored = set(service.storage.pictures)
    for kind, data in {
        "nothing": b"",
        "a page": b"<html>Not found</html>",
        "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg' width='512' height='512'/>",
        "half a picture": photo()[:1000],
        "a tiny picture": photo(100, 100),
        "noise": b"\xff\xd8\xff" + b"\x00" * 5000,
    }.items():
        image = await customer.generate()
        service.downloads.picture = data
        await service.work()
        assert await customer.views(image) == {"front": ("FAILED", "provider_bad_output")}, kind
        assert await customer.credits() == (1, 0), kind
    assert set(service.storage.pictures) == stored


async def test_an_address_that_is_not_allowed_is_bad_output(service: Service) -> None:
    """What the guard of downloads refuses is not asked for again."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.downloads.troubles = [BadOutput("outputs are not fetched from there")]
    await service.work_for(10)
    assert await customer.views(image) == {"front": ("FAILED", "provider_bad_output")}
    assert len(service.downloads.fetched) == 1


async def test_an_output_that_cannot_be_fetched_now_is_fetched_later(service: Service) -> None:
    """Twice unreachable, then there: COMPLETED, with one create."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.downloads.troubles = [OutputUnavailable("reset")] * 2
    await service.work_for(15)
    assert (await customer.status(image))["status"] == "COMPLETED"
    assert len(service.downloads.fetched) == 3
    assert len(service.model.orders) == 1
    assert await customer.credits() == (0, 0)


async def test_an_output_that_stays_away_is_given_up(service: Service) -> None:
    """FAILED `provider_bad_output` after a few tries, without another create."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.downloads.troubles = [OutputUnavailable("reset")] * 20
    await service.work_for(60)
    assert await customer.views(image) == {"front": ("FAILED", "provider_bad_output")}
    assert len(service.downloads.fetched) == 4
    assert len(service.model.orders) == 1


async def test_storage_that_fails_twice_delays_and_costs_nothing_more(service: Service) -> None:
    """The picture is stored when storage is back: COMPLETED, one create, one credit."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    await service.worker.drain()
    service.storage.is_away = True
    await service.work()
    await service.pass_time(5)
    await service.work()
    assert (await customer.status(image))["status"] == "PROCESSING"
    assert await customer.credits() == (1, 1)
    service.storage.is_away = False
    await service.work_for(10)
    assert (await customer.status(image))["status"] == "COMPLETED"
    assert len(service.model.orders) == 1
    assert await customer.credits() == (0, 0)


async def test_storage_that_stays_away_ends_at_the_deadline(service: Service) -> None:
    """After 15 minutes FAILED `storage_unavailable`, and the credit is back."""
    customer = await service.customer(credits=1)
    image = await customer.generate()
    await service.worker.drain()
    service.storage.is_away = True
    await service.work()
    for _ in range(16):
        await service.pass_time(60)
        await service.work()
        await service.worker.sweep()
    assert await customer.views(image) == {"front": ("FAILED", "storage_unavailable")}
    assert len(service.model.orders) == 1
    assert await customer.credits() == (1, 0)


async def test_a_picture_is_stored_anew_and_at_most_2048_pixels_long(service: Service) -> None:
    """What the provider made is never handed on as it came."""
    customer = await service.customer()
    image = await customer.generate()
    service.downloads.picture = photo(3000, 1500, kind="PNG")
    await service.work()
    key = (await customer.status(image))["output_image_url"].removeprefix("https://pictures.test/")
    assert service.storage.pictures[key].startswith(b"\xff\xd8\xff")
    row = await service.database.fetchrow("SELECT output_width, output_height FROM views")
    assert tuple(row) == (2048, 1024)


async def test_a_photo_is_lent_to_a_provider_that_cannot_reach_our_storage(service: Service) -> None:
    """Without a public address the picture itself is handed over, and its address there is the input."""
    service.storage.is_public = False
    customer = await service.customer(credits=2)
    address = await customer.upload()
    image = await customer.generate(["front", "left"], image_input_url=address)
    await service.work()
    assert (await customer.status(image))["status"] == "COMPLETED"
    assert [order.inputs[0] for order in service.model.orders] == list(service.model.uploads)
    photo_of_customer = service.storage.pictures[address.removeprefix("https://pictures.test/")]
    assert next(iter(service.model.uploads.values())) == photo_of_customer


async def test_a_photo_that_cannot_be_read_is_tried_again(service: Service) -> None:
    """Storage away before the create: no create is made, and the next attempt finds it."""
    service.storage.is_public = False
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.storage.is_away = True
    await service.work()
    assert service.model.orders == []
    service.storage.is_away = False
    await service.work_for(10)
    assert (await customer.status(image))["status"] == "COMPLETED"


async def test_real_files_hold_real_pictures(start: Start) -> None:
    """With storage on disk the addresses in the status lead to the stored pictures."""
    service = await start(real_storage=True)
    customer = await service.customer()
    image = await customer.generate()
    await service.work()
    status = await customer.status(image)
    for address in (status["input_image_url"], status["output_image_url"]):
        response = await service.browser().get(address)
        assert (response.status_code, response.headers["Content-Type"]) == (200, "image/jpeg")
        assert response.content.startswith(b"\xff\xd8\xff")
