"""All of one's try-ons, watched over a WebSocket."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from dishka import Provider, Scope
from websockets.exceptions import ConnectionClosed, InvalidStatus

from application.images.progress import ProgressReader
from bootstrap.embedded import start_valkey
from tests.integration.http.conftest import Start
from tests.integration.http.stories import Customer, Service
from tests.integration.http.wire import Wire, message, serving

OURS = "https://app.example.com"


@pytest.fixture
async def wire(service: Service) -> AsyncIterator[Wire]:
    async with serving(service) as wire:
        yield wire


def cookie_of(customer: Customer) -> str:
    return f"access_token={customer.api.headers['Authorization'].removeprefix('Bearer ')}"


async def refusal(wire: Wire, path: str = "/api/v1/image/ws", **headers: str) -> tuple[int, str]:
    """Status and body of a refused handshake, which names the request as any answer does."""
    with pytest.raises(InvalidStatus) as refused:
        async with wire.open(path, **headers):
            pass
    response = refused.value.response
    assert response.headers["content-type"] == "application/problem+json"
    assert response.body is not None
    assert json.loads(response.body)["request_id"] == response.headers["x-request-id"]
    return response.status_code, response.body.decode()


async def test_a_socket_tells_of_all_try_ons_from_now_on(wire: Wire) -> None:
    """Not what was before, nor what others do; each message as an event of a stream, with the same id."""
    customer, stranger = await wire.service.customer(), await wire.service.customer()
    before = await customer.generate()
    async with wire.socket(customer) as socket:
        await stranger.generate()
        after = await customer.generate()
        told = [await message(socket) for _ in range(2)]
        await wire.service.work()
        told += [await message(socket) for _ in range(8)]
    assert told[0] == {"id": 1, "event": "view", "data": told[0]["data"]}
    assert told[0]["data"]["status"] == "PENDING"
    ids: dict[int, list[int]] = {}
    for event in told:
        ids.setdefault(event["data"]["image_id"], []).append(event["id"])
    assert ids == {before: [3, 4, 5, 6], after: [1, 2, 3, 4, 5, 6]}


async def test_strangers_are_refused_before_the_socket_opens(wire: Wire) -> None:
    """401 as of any request, with the same problem document."""
    status, body = await refusal(wire)
    assert (status, '"not_authenticated"' in body) == (401, True)
    assert (await refusal(wire, Authorization="Bearer nonsense"))[0] == 401


async def test_a_socket_opened_by_a_cookie_names_its_origin(wire: Wire) -> None:
    """Browsers send cookies along from any page, so only ours may; a bearer token says enough by itself."""
    customer = await wire.service.customer()
    bearer, cookie = customer.api.headers["Authorization"], cookie_of(customer)
    assert (await refusal(wire, Cookie=cookie))[0] == 403
    assert (await refusal(wire, Cookie=cookie, Origin="https://evil.example"))[0] == 403
    assert (await refusal(wire, Authorization=bearer, Origin="https://evil.example"))[0] == 403
    assert (await refusal(wire, Authorization=bearer, Origin="null"))[0] == 403
    for headers in ({"Cookie": cookie, "Origin": OURS}, {"Authorization": bearer, "Origin": OURS}):
        async with wire.open(**headers) as socket:
            await customer.generate()
            assert (await message(socket))["id"] == 1


@pytest.mark.parametrize("path", ["/api/v1/image/styles", "/api/v1/user/me", "/nowhere", "/health/live", "/"])
async def test_where_no_socket_is_none_opens(wire: Wire, path: str) -> None:
    """404 as for any request, and nothing breaks over it."""
    customer = await wire.service.customer()
    status, body = await refusal(wire, path, Authorization=customer.api.headers["Authorization"])
    assert (status, '"not_found"' in body) == (404, True)


async def test_a_refused_handshake_is_no_error(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """Strangers do not fill the log of the server with lines that somebody would have to look at."""
    assert (await refusal(wire))[0] == 401
    assert (await refusal(wire, "/nowhere"))[0] == 404
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_fault_of_ours_before_the_socket_opens_is_told(start: Start) -> None:
    """500, as of any request, and a line in the log: Litestar would close the handshake without either."""
    broken = Provider(scope=Scope.APP)
    broken.provide(_fail, provides=ProgressReader, override=True)
    service = await start(broken)
    service.expects_errors = True
    async with serving(service) as wire:
        status, body = await refusal(wire)
    assert (status, '"internal_error"' in body) == (500, True)
    assert [line["event"] for line in service.log if line["log_level"] == "error"] == ["internal_error"]


async def test_a_socket_is_not_read_as_a_page(wire: Wire) -> None:
    """405: there is something at this address, though nothing to GET."""
    customer = await wire.service.customer()
    response = await customer.api.get("/image/ws")
    assert (response.status_code, response.json()["code"]) == (405, "not_found")


async def test_handshakes_count_against_the_limit(start: Start) -> None:
    """As any request: 429 with a time to wait."""
    service = await start(RATE_LIMIT_DEFAULT="2/minute")
    async with serving(service) as wire:
        for _ in range(2):
            assert (await refusal(wire))[0] == 401
        status, body = await refusal(wire)
        assert (status, '"rate_limited"' in body) == (429, True)


async def test_a_socket_closes_when_its_session_ends(wire: Wire) -> None:
    customer = await wire.service.customer()
    async with wire.socket(customer) as socket:
        assert (await customer.api.post("/auth/logout")).status_code == 204
        assert await closing_code(socket) == 4401


async def test_a_socket_closes_when_the_server_goes_away(service: Service) -> None:
    """1001, and no other stream begins meanwhile."""
    customer = await service.customer()
    async with serving(service) as wire:
        socket = await wire.socket(customer)
        await service.app.state.progress_hub.end_streams()
        assert await closing_code(socket) == 1001
        image = await customer.generate()
        refused = await customer.api.get(f"/image/{image}/events")
        assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
        assert refused.headers["retry-after"] == "1"


async def test_a_socket_is_one_line_in_the_log(service: Service) -> None:
    """With its id and its route; what a client says is not read, and does no harm."""
    customer = await service.customer()
    headers = {"Authorization": customer.api.headers["Authorization"], "X-Request-ID": "a-callers-own-id"}
    async with serving(service) as wire, wire.open(**headers) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-request-id"] == "a-callers-own-id"
        await socket.send("hello")
        await customer.generate()
        assert (await message(socket))["id"] == 1
    (line,) = [line for line in service.log if line.get("method") == "WEBSOCKET"]
    assert (line["event"], line["route"], line["status"]) == ("request", "/api/v1/image/ws", 101)


async def test_after_a_gap_a_socket_catches_up(start: Start, tmp_path: Path) -> None:
    """What happened while Redis was away is told, once, and then what happens."""
    valkey = start_valkey(tmp_path / "valkey", durable=False)
    try:
        service = await start(REDIS_URL=valkey.url)
        async with serving(service) as wire:
            customer = await service.customer()
            image = await customer.generate()
            async with wire.socket(customer) as socket:
                valkey.stop()
                await service.worker.drain()
                other = await customer.generate()
                told = [await message(socket) for _ in range(4)]
                valkey.start()
                await service.work()
                told += [await message(socket) for _ in range(6)]
        seen = sorted((event["data"]["image_id"], event["id"]) for event in told)
        assert seen == [*((image, number) for number in range(3, 7)), *((other, number) for number in range(1, 7))]
    finally:
        valkey.stop()


def _fail() -> ProgressReader:
    raise LookupError


async def closing_code(socket: Any) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await message(socket)
    assert closed.value.rcvd is not None
    return int(closed.value.rcvd.code)
