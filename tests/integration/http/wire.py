"""The service on a socket of its own: streams need a server that sends while it is still answering."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from bootstrap.http import DrainingServer
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

    def socket(self, customer: Customer) -> connect:
        return self.open(Authorization=customer.api.headers["Authorization"])


async def message(socket: ClientConnection) -> Any:
    """The next message of a WebSocket."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        return json.loads(await socket.recv())


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[Wire]:
    config = uvicorn.Config(
        service.app,
        host="127.0.0.1",
        port=0,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=PATIENCE_SECONDS,
    )
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
