"""How the sandbox's tests talk to it: in this process, as a process of its own, and as who receives its webhooks."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import msgspec
from litestar import Litestar

from sandbox.app import create_app
from sandbox.config import SandboxConfig

ROOT = Path(__file__).parents[3]
PHOTO = ROOT / "sandbox" / "photos" / "astronaut.jpg"
CREATE = "/replicate/v1/models/bytedance/seedream-4/predictions"


@asynccontextmanager
async def running(**config: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The app in this event loop; fast, and with small pictures, unless told otherwise."""
    app = create_app(SandboxConfig(**{"latency_seconds": 0, **config}))
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar types its scopes more narrowly
    async with alive(app), httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
        await client.put("/replicate/__control/model", json={"latency_seconds": 0, "picture": "fixed"})
        yield client


@asynccontextmanager
async def alive(app: Litestar) -> AsyncIterator[None]:
    """Start and stop the app in one task of its own: a fixture's two halves run in different tasks."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await ended.wait()

    life = asyncio.create_task(live())
    await started.wait()
    try:
        yield
    finally:
        ended.set()
        await life


async def finished(client: httpx.AsyncClient, prediction: dict[str, Any]) -> dict[str, Any]:
    """Poll until the prediction has ended."""
    while True:
        found = (await client.get(f"/replicate/v1/predictions/{prediction['id']}")).json()
        if found["status"] not in {"starting", "processing"}:
            return dict(found)
        await asyncio.sleep(0.01)


async def rendered(client: httpx.AsyncClient, **options: Any) -> dict[str, Any]:
    created = await client.post(CREATE, json={"input": {"prompt": "Any"}, **options})
    assert created.status_code == HTTPStatus.CREATED, created.text
    return await finished(client, created.json())


async def script(client: httpx.AsyncClient, *rules: dict[str, Any], service: str = "replicate") -> None:
    answer = await client.post(f"/{service}/__control", json={"rules": rules})
    assert answer.status_code == HTTPStatus.OK, answer.text


@dataclass
class Receiver:
    """Takes webhooks on a free port and answers them with the statuses it was told, then with 204."""

    answers: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def has(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= count)
        return self.received

    def statuses(self) -> list[str]:
        return [msgspec.json.decode(body)["status"] for _, body in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
        body = await reader.readexactly(int(headers["content-length"]))
        status = self.answers.pop(0) if self.answers else 204
        writer.write(f"HTTP/1.1 {status} Told\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        async with self.arrived:
            self.received.append((headers, body))
            self.arrived.notify_all()


def start(**variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "SANDBOX_LATENCY_SECONDS": "0", **variables}
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    return subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )


def address_of(started: subprocess.Popen[str]) -> str:
    assert started.stdout is not None
    word, address = started.stdout.readline().split()
    assert word == "ready"
    return address


def stop(started: subprocess.Popen[str]) -> int:
    started.send_signal(signal.SIGTERM)
    try:
        return started.wait(timeout=20)
    finally:
        started.kill()
        if started.stdout is not None:
            started.stdout.close()
