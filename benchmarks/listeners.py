"""Those who watch: connections that are opened, stay open, and count the events that come.

It reads a plan from the first line of standard input, prints a line when every stream has begun, and its figures when
standard input is closed.
"""

import asyncio
import os
import sys
from functools import partial
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

from benchmarks.load import HOST

_AT_ONCE = 50
_EVENT = b"\nevent: "
_OK = b"HTTP/1.1 200 "


class Plan(Struct, frozen=True, kw_only=True):
    port: int
    requests: list[bytes]
    """One for each stream, as it goes over the wire."""


class Figures(Struct, kw_only=True):
    events: int = 0
    broken: int = 0
    """Streams that were refused or ended."""


class Stream(asyncio.Protocol):
    def __init__(self, request: bytes, figures: Figures) -> None:
        self._request = request
        self._figures = figures
        self._tail = b""
        self.begun = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.begun.is_set():
            self._figures.broken += not data.startswith(_OK)
            self.begun.set()
        # What is kept is too short to hold one event more than once.
        text = self._tail + data
        self._figures.events += text.count(_EVENT)
        self._tail = text[1 - len(_EVENT) :]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whyever it ended
        self._figures.broken += 1
        self.begun.set()


async def listen(plan: Plan, standard_input: int) -> Figures:
    figures = Figures()
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(standard_input, closed.set)
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def open_one(request: bytes) -> None:
        async with at_once:
            _, stream = await loop.create_connection(partial(Stream, request, figures), HOST, plan.port)
            await stream.begun.wait()

    await asyncio.gather(*(open_one(request) for request in plan.requests))
    print(flush=True)
    await closed.wait()
    return msgspec.structs.replace(figures)


def main() -> None:
    with os.fdopen(sys.stdin.fileno(), "rb", closefd=False) as standard_input:
        plan = msgspec.json.decode(standard_input.readline(), type=Plan)
    sys.stdout.write(msgspec.json.encode(uvloop.run(listen(plan, sys.stdin.fileno()))).decode())


if __name__ == "__main__":
    main()
