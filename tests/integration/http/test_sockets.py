"""What one client of a WebSocket cannot do to the others, on uvicorn itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from presentation.http import sockets
from presentation.http.sockets import MOST_HEARD, OneWayProtocol
from tests.integration.http.stories import Customer, Service
from tests.integration.http.wire import PATIENCE_SECONDS, Wire, message, serving

EMPTY_PING, EMPTY_TEXT = b"\x89\x80\0\0\0\0", b"\x81\x80\0\0\0\0"
"""Masked, as a client sends them (RFC 6455, section 5.2)."""


@pytest.fixture
async def wire(service: Service) -> AsyncIterator[Wire]:
    async with serving(service) as wire:
        yield wire


def bearer(customer: Customer) -> dict[str, str]:
    return {"Authorization": customer.api.headers["Authorization"]}


@pytest.mark.parametrize("frame", [EMPTY_PING, EMPTY_TEXT], ids=["ping", "text"])
async def test_who_talks_all_the_time_is_cut_off(wire: Wire, frame: bytes) -> None:
    """Without reading a byte of the answers; others are answered all the while, and the client may come again."""
    customer, other = await wire.service.customer(), await wire.service.customer()
    reader, writer = await wire.shake_hands(bearer(customer))
    assert (await reader.readline()).startswith(b"HTTP/1.1 101")

    async def flood() -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(frame * 5_000)
                await writer.drain()

    async with asyncio.timeout(PATIENCE_SECONDS), wire.client(other) as client, asyncio.TaskGroup() as both:
        flooding = both.create_task(flood())
        answers = [(await client.get("/user/me")).status_code]
        while not flooding.done():
            answers.append((await client.get("/user/me")).status_code)
    writer.transport.abort()
    assert set(answers) == {200}
    (line,) = [line for line in wire.service.log if line["event"] == "socket_cut_off"]
    assert line["reason"] == "talks"
    async with wire.socket(customer) as socket:
        await customer.generate()
        assert (await message(socket))["id"] == 1


async def test_a_client_may_say_what_it_owes(wire: Wire) -> None:
    """And more than that: as many bytes in a minute as the rule has."""
    customer = await wire.service.customer()
    async with wire.socket(customer) as socket:
        for _ in range(MOST_HEARD // 1024 - 1):
            await socket.send("x" * 1000)
        await customer.generate()
        assert (await message(socket))["id"] == 1


@pytest.mark.parametrize(
    "headers", [{"X-Long": "x" * 9_000}, {f"X-{number}": "x" for number in range(129)}], ids=["long", "many"]
)
async def test_a_handshake_that_cannot_be_read_is_answered(wire: Wire, headers: dict[str, str]) -> None:
    """400 with a request id, and the connection ends."""
    reader, writer = await wire.shake_hands(headers)
    async with asyncio.timeout(PATIENCE_SECONDS):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"X-Request-ID: " in head
    assert b'"validation_failed"' in body


async def test_who_does_not_read_is_cut_off(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever waits to be sent would stay in memory, and a close behind it would wait for ever."""
    monkeypatch.setattr(sockets, "STALLED_SECONDS", 0)
    ended = asyncio.Event()

    async def talkative(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "bytes": bytes(1024 * 1024)})
        except OSError:
            ended.set()

    async with serving(service, talkative) as wire:
        _, writer = await wire.shake_hands({})
        async with asyncio.timeout(PATIENCE_SECONDS):
            await ended.wait()
        writer.transport.abort()
    (line,) = [line for line in service.log if line["event"] == "socket_cut_off"]
    assert line["reason"] == "does_not_read"


async def test_uvicorn_has_what_the_protocol_is_built_on(service: Service) -> None:
    """It is what uvicorn takes by itself; its inner parts, which it promises to nobody, are where they were."""
    config = uvicorn.Config(service.app, log_config=None)
    config.load()
    assert config.ws_protocol_class is WebSocketsSansIOProtocol
    protocol = OneWayProtocol(config, ServerState(), {})
    assert (protocol.handshake_initiated, protocol.handshake_complete) == (False, False)
    assert protocol.conn.handshake_exc is None
    assert "transport" in vars(protocol)
    assert protocol.loop is asyncio.get_running_loop()
    overridden = {name for name in vars(OneWayProtocol) if callable(getattr(OneWayProtocol, name)) and name[0] != "_"}
    assert overridden <= vars(WebSocketsSansIOProtocol).keys()
