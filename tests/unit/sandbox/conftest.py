"""The sandbox in this process, the sandbox as a process of its own, and somebody who receives its webhooks."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.unit.sandbox.talking import Receiver, address_of, running, start, stop


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with running(webhook_retry_seconds=(0.01, 0.01)) as client:
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?from=sandbox"
    async with server:
        yield receiver


@pytest.fixture(scope="module")
def process() -> Iterator[str]:
    """The address of a real sandbox process with a real socket."""
    started = start()
    try:
        yield address_of(started)
    finally:
        stop(started)
