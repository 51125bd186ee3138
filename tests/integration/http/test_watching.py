"""One try-on, watched by Server-Sent Events as it is made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bootstrap.embedded import start_valkey
from tests.integration.http.conftest import Start
from tests.integration.http.scrape import counted
from tests.integration.http.stories import Service
from tests.integration.http.wire import PATIENCE_SECONDS, Wire, serving


@pytest.fixture
async def wire(service: Service) -> AsyncIterator[Wire]:
    async with serving(service) as wire:
        yield wire


async def test_a_stream_tells_everything_in_its_order_and_ends(wire: Wire) -> None:
    """From the first event on, as it happens, to the try-on's own end; and then there is nothing to reconnect for."""
    customer = await wire.service.customer()
    image = await customer.generate(["front", "left"])
    async with wire.watch(customer, image) as stream:
        assert stream.response.status_code == 200
        first = await stream.event()
        assert stream.retry == "2000"
        assert (first["id"], first["event"]) == (1, "view")
        assert first["data"] == {
            "image_id": image,
            "view": "front",
            "status": "PENDING",
            "url": None,
            "error": None,
            "queue_position": 1,
            "eta_seconds": None,
            "at": first["data"]["at"],
        }
        assert first["data"]["at"].endswith("Z")
        await wire.service.work()
        rest = await stream.rest()
    told = [(event["id"], event["event"], event["data"]["view"], event["data"]["status"]) for event in rest]
    assert told == [
        (2, "view", "left", "PENDING"),
        (3, "image", None, "PENDING"),
        (4, "view", "front", "PROCESSING"),
        (5, "image", None, "PROCESSING"),
        (6, "view", "front", "COMPLETED"),
        (7, "view", "left", "PROCESSING"),
        (8, "view", "left", "COMPLETED"),
        (9, "image", None, "COMPLETED"),
    ]
    status = await customer.status(image)
    urls = {event["data"]["view"]: event["data"]["url"] for event in rest if event["data"]["status"] == "COMPLETED"}
    assert urls == {
        "front": status["output_image_url"],
        "left": status["left_view_url"],
        None: status["output_image_url"],
    }


async def test_a_stream_is_not_kept_by_anybody_on_the_way(wire: Wire) -> None:
    """No cache stores it, no proxy holds events back, and it has the headers of every answer."""
    customer = await wire.service.customer()
    image = await customer.generate()
    async with wire.watch(customer, image) as stream:
        headers = stream.response.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 32


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(wire: Wire) -> None:
    """0 is the beginning; after the last event of an ended try-on there is no content."""
    customer = await wire.service.customer()
    image = await customer.generate()
    await wire.service.work()
    for seen, rest in ((0, [1, 2, 3, 4, 5, 6]), (4, [5, 6]), (5, [6])):
        async with wire.watch(customer, image, last_event_id=seen) as stream:
            assert [event["id"] for event in await stream.rest()] == rest
    async with wire.watch(customer, image, last_event_id=6) as stream:
        assert stream.response.status_code == 204
        assert await stream.response.aread() == b""


async def test_an_earlier_end_that_a_retry_followed_does_not_end_a_stream(wire: Wire) -> None:
    """The log goes on with another round, and so does whoever reads it from the start."""
    customer = await wire.service.customer()
    wire.service.model.plan("failed", "failed", "failed")
    image = await customer.generate()
    await wire.service.work_for(60)
    assert (await customer.status(image))["status"] == "FAILED"
    assert (await customer.api.post(f"/image/{image}/retry")).status_code == 202
    async with wire.watch(customer, image) as stream:
        told = [(event["data"]["view"], event["data"]["status"]) for event in [await stream.event() for _ in range(8)]]
        await wire.service.work()
        told += [(event["data"]["view"], event["data"]["status"]) for event in await stream.rest()]
    assert told[4:] == [
        ("front", "FAILED"),
        (None, "FAILED"),
        ("front", "PENDING"),
        (None, "PROCESSING"),
        ("front", "PROCESSING"),
        ("front", "COMPLETED"),
        (None, "COMPLETED"),
    ]


@pytest.mark.parametrize("nonsense", ["-1", "one", "1.5", "9" * 30, str(2**31)])
async def test_what_is_no_event_id_is_refused(service: Service, nonsense: str) -> None:
    customer = await service.customer()
    image = await customer.generate()
    refused = await customer.api.get(f"/image/{image}/events", headers={"Last-Event-ID": nonsense})
    assert (refused.status_code, refused.json()["code"]) == (400, "validation_failed")


async def test_an_empty_event_id_is_none(wire: Wire) -> None:
    customer = await wire.service.customer()
    image = await customer.generate()
    async with wire.watch(customer, image, last_event_id="") as stream:
        assert (await stream.event())["id"] == 1


async def test_a_stream_ends_when_its_try_on_is_deleted(wire: Wire) -> None:
    customer = await wire.service.customer()
    image = await customer.generate()
    async with wire.watch(customer, image, last_event_id=2) as stream:
        assert (await customer.api.delete(f"/image/{image}")).status_code == 204
        assert await stream.rest() == []


async def test_a_stream_ends_when_its_session_ends(wire: Wire) -> None:
    """Within seconds after logging out, though nothing happens to the try-on."""
    customer = await wire.service.customer()
    image = await customer.generate()
    async with wire.watch(customer, image, last_event_id=2) as stream:
        assert (await customer.api.post("/auth/logout")).status_code == 204
        assert await stream.rest() == []
        await wire.service.work()


async def test_twenty_streams_are_enough_for_anybody(wire: Wire) -> None:
    """The next is refused with a time to wait; others are not concerned; a stream that was left makes room."""
    customer, other = await wire.service.customer(), await wire.service.customer()
    image = await customer.generate()
    async with AsyncExitStack() as streams:
        others = [await streams.enter_async_context(wire.watch(customer, image)) for _ in range(19)]
        assert {stream.response.status_code for stream in others} == {200}
        async with wire.watch(customer, image) as last:
            await last.event()
            async with wire.watch(customer, image) as refused:
                assert refused.response.status_code == 429
                assert int(refused.response.headers["retry-after"]) > 0
            async with wire.watch(other, await other.generate()) as theirs:
                assert await theirs.event()
                assert await counted(wire.service, "open_streams") == {(): 21}
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                async with wire.watch(customer, image) as again:
                    if again.response.status_code == 200:
                        break


async def test_the_time_that_a_stream_is_open_is_no_latency(wire: Wire) -> None:
    """What is measured is the time to its first byte; the log has one line for it."""
    customer = await wire.service.customer()
    image = await customer.generate()
    async with wire.watch(customer, image, last_event_id=2) as stream:
        await customer.api.delete(f"/image/{image}")
        await stream.rest()
    (line,) = [line for line in wire.service.log if line.get("route", "").endswith("/events")]
    assert (line["event"], line["status"]) == ("request", 200)
    metrics = (await wire.service.browser().get(wire.service.root("/metrics"))).text
    (measured,) = [
        float(line.split()[-1]) for line in metrics.splitlines() if "seconds_sum" in line and "/events" in line
    ]
    assert measured < line["seconds"]


async def test_redis_may_go_and_come_back_while_streams_are_open(start: Start, tmp_path: Path) -> None:
    """While it is away the streams look by the clock; when it is back they hear again. Nothing is told twice."""
    valkey = start_valkey(tmp_path / "valkey", durable=False)
    try:
        service = await start(REDIS_URL=valkey.url)
        async with serving(service) as wire:
            customer = await service.customer()
            image = await customer.generate(["front", "back"])
            async with wire.watch(customer, image) as stream:
                seen = [await stream.event() for _ in range(3)]
                valkey.stop()
                await service.worker.drain()
                seen += [await stream.event() for _ in range(2)]
                valkey.start()
                await service.work()
                seen += await stream.rest()
            assert [event["id"] for event in seen] == list(range(1, 10))
    finally:
        valkey.stop()
