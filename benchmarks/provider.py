"""A stand-in for the image model's provider that costs next to nothing, so that what is measured is not the provider.

It speaks what a worker needs of Replicate's HTTP API (https://replicate.com/docs/reference/http): creates, looks and
cancels of predictions, signed webhooks, and an output on its own host. Started with the port of an API, it finishes
every prediction as soon as it has answered the create, and tells that API, whatever host the webhook's address names.
Started with none, it never finishes one. It takes so many seconds for each answer as it is told. Nothing is
remembered: an id says all there is to know.
"""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import cast
from urllib.parse import urlsplit

import httpx
import msgspec
import pyvips
import uvloop
from msgspec import Struct
from standardwebhooks import Webhook

from benchmarks.load import HOST

SIDE = 256
"""Pixels of an output."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WEBHOOKS_AT_ONCE = 32


class _Create(Struct, frozen=True):
    input: dict[str, object]
    webhook: str | None = None


class Provider:
    def __init__(self, origin: str, api: str | None, secret: str) -> None:
        self._origin = origin
        self._api = api
        self._webhook = Webhook(secret)
        self._numbers = count(1)
        self._picture: bytes = _picture()
        self._client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=_WEBHOOKS_AT_ONCE), timeout=30, trust_env=False
        )
        self._telling: set[asyncio.Task[None]] = set()

    def answer(self, method: str, path: str, body: bytes) -> bytes:
        if path.startswith("/outputs/"):
            return _response("200 OK", "image/jpeg", self._picture)
        if method == "POST" and path.endswith("/predictions"):
            return self._create(msgspec.json.decode(body, type=_Create))
        id_ = path.removesuffix("/cancel").rpartition("/")[2]
        return _json("200 OK", self._prediction(id_, "canceled" if path.endswith("/cancel") else self._end))

    @property
    def _end(self) -> str:
        return "succeeded" if self._api else "processing"

    def _create(self, wanted: _Create) -> bytes:
        id_ = f"p{next(self._numbers)}"
        if self._api and wanted.webhook:
            task = asyncio.create_task(self._tell(id_, wanted.webhook))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
        return _json("201 Created", self._prediction(id_, "starting"))

    async def _tell(self, id_: str, address: str) -> None:
        parts = urlsplit(address)
        body = msgspec.json.encode(self._prediction(id_, self._end))
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": f"msg_{id_}",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(f"msg_{id_}", now, body.decode()),
        }
        taken = await self._client.post(f"{self._api}{parts.path}?{parts.query}", content=body, headers=headers)
        taken.raise_for_status()

    def _prediction(self, id_: str, status: str) -> dict[str, object]:
        address = f"{self._origin}/v1/predictions/{id_}"
        return {
            "id": id_,
            "model": "bytedance/seedream-4",
            "version": "hidden",
            "input": {},
            "logs": "",
            "output": [f"{self._origin}/outputs/{id_}.jpg"] if status == "succeeded" else None,
            "error": None,
            "status": status,
            "created_at": datetime.now(UTC),
            "metrics": {},
            "urls": {"get": address, "cancel": f"{address}/cancel"},
        }


class Connection(asyncio.Protocol):
    """Requests one after the other: enough of HTTP/1.1 for clients that wait for an answer before they ask again."""

    def __init__(self, answer: Callable[[str, str, bytes], bytes], seconds: float) -> None:
        self._answer = answer
        self._seconds = seconds
        self._request = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._request += data
        head = self._request.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._request, 0, head)
        end = head + 4 + (int(length[1]) if length else 0)
        if len(self._request) < end:
            return
        method, path, _ = self._request[: self._request.index(b"\r\n")].decode().split(" ")
        body = bytes(self._request[head + 4 : end])
        del self._request[:end]
        loop = asyncio.get_running_loop()
        loop.call_later(self._seconds, self._transport.write, self._answer(method, path, body))


def _picture() -> bytes:
    """A picture that compresses about as a photo does."""
    noise = pyvips.Image.perlin(SIDE, SIDE, cell_size=32, uchar=True)
    picture: bytes = noise.bandjoin([noise.rot90(), noise.rot180()]).copy(interpretation="srgb").jpegsave_buffer(Q=90)
    return picture


def _json(status: str, content: object) -> bytes:
    return _response(status, "application/json", msgspec.json.encode(content))


def _response(status: str, kind: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def serve(port: int, api: str | None, seconds: float) -> None:
    provider = Provider(f"http://{HOST}:{port}", api, os.environ["REPLICATE_WEBHOOK_SECRET"])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(provider.answer, seconds), HOST, port)
    await server.serve_forever()


def main() -> None:
    port, api, seconds = sys.argv[1:]
    uvloop.run(serve(int(port), f"http://{HOST}:{api}" if api else None, float(seconds)))


if __name__ == "__main__":
    main()
