"""The service on a socket of its own: streams need a server that sends while it is still answering."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bootstrap.http import DrainingServer, server_config
from tests.integration.http.stories import Customer, Service

PATIENCE_SECONDS = 30


class _Server(DrainingServer):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave pytest's handlers alone."""
        yield


class Stream:
    """A stream of Server-Sent Events, as a browser reads it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.retry = ""
        self._lines = response.aiter_lines()

    async def event(self) -> Any:
        """The next event with its id, name and data; None when the stream has ended."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            fields: dict[str, str] = {}
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name == "retry":
                    self.retry = value
                elif name in {"id", "event", "data"}:
                    fields[name] = value
                elif not line and fields:
                    return {**fields, "id": int(fields["id"]), "data": json.loads(fields["data"])}
            return None

    async def rest(self) -> list[Any]:
        """Every event until the stream ends."""
        events = []
        while (event := await self.event()) is not None:
            events.append(event)
        return events


class Wire:
    """The service at an address on this machine."""

    def __init__(self, service: Service, port: int) -> None:
        self.service = service
        self.port = port
        self._place = f"127.0.0.1:{port}"

    @asynccontextmanager
    async def client(self, customer: Customer) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": customer.api.headers["Authorization"]}
        async with httpx.AsyncClient(
            base_url=f"http://{self._place}/api/v1", headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
        ) as client:
            yield client

    @asynccontextmanager
    async def watch(
        self, customer: Customer, image: int, *, last_event_id: object = None, **headers: str
    ) -> AsyncIterator[Stream]:
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        async with (
            self.client(customer) as client,
            client.stream("GET", f"/image/{image}/events", headers=headers) as response,
        ):
            yield Stream(response)

    def open(self, path: str = "/api/v1/image/ws", **headers: str) -> connect:
        return connect(f"ws://{self._place}{path}", additional_headers=headers, proxy=None)

    async def shake_hands(self, headers: Mapping[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Ask for a WebSocket as no library does: with any headers, and free to say what one likes afterwards."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = {
            "Host": self._place,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"GET /api/v1/image/ws HTTP/1.1\r\n{head}\r\n".encode())
        return reader, writer

    def socket(self, customer: Customer) -> connect:
        return self.open(Authorization=customer.api.headers["Authorization"])


async def message(socket: ClientConnection) -> Any:
    """The next message of a WebSocket."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return json.loads(await socket.recv())


@asynccontextmanager
async def serving(service: Service, app: Any = None) -> AsyncIterator[Wire]:
    """The service, or another app in its place, as the service is served."""
    config = server_config(app or service.app, host="127.0.0.1", port=0)
    config.lifespan = "off"
    config.timeout_graceful_shutdown = PATIENCE_SECONDS
    server = _Server(config, service.app)
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), running.result()
        await asyncio.sleep(0.01)
    try:
        yield Wire(service, server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        await running
