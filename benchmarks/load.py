"""The load: a lean HTTP/1.1 client, run in a process of its own, that keeps connections busy and counts.

Each connection sends its next request as soon as the last one is answered. Of an answer only the status and the length
are read, so that the client costs a small part of what a server does; what it took is among the figures.

It reads a plan from the first line of standard input, ends early when standard input is closed, and prints its figures.
"""

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import cycle, islice
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

HOST = "127.0.0.1"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PATIENCE_SECONDS = 10.0


class Plan(Struct, frozen=True, kw_only=True):
    port: int
    requests: list[bytes]
    """As they go over the wire; each connection takes them in turn, from a place of its own."""
    connections: int
    warm_up: float
    """Seconds that are not counted."""
    seconds: float | None
    """None: until standard input is closed."""
    expected: int
    """The status that is no error."""


class Figures(Struct, frozen=True, kw_only=True):
    rate: float
    """Answers a second."""
    p50: float
    """Seconds from request to answer that half of the requests took at most."""
    p99: float
    errors: int
    """Answers of another status than expected, and connections that broke."""
    load: float
    """The share of one core that the client took."""


class Tally:
    def __init__(self) -> None:
        self.ended = False
        self._asked = 0
        self._all_answered = asyncio.Event()
        self.begin()

    def begin(self) -> None:
        self.latencies: list[float] = []
        self.errors = 0
        self._began = time.perf_counter()
        self._worked = time.process_time()

    def ask(self) -> float:
        self._asked += 1
        return time.perf_counter()

    def answer(self, asked: float, *, ok: bool) -> None:
        self._asked -= 1
        self.latencies.append(time.perf_counter() - asked)
        self.errors += not ok
        if self.ended and not self._asked:
            self._all_answered.set()

    async def last_answer(self, patience: float) -> None:
        """End, and leave the server nothing to do that would slow down whoever is measured next."""
        self.ended = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_answered.wait(), patience)

    def figures(self) -> Figures:
        seconds = time.perf_counter() - self._began
        worked = time.process_time() - self._worked
        ordered = sorted(self.latencies) or [0.0]
        return Figures(
            rate=len(self.latencies) / seconds,
            p50=ordered[len(ordered) // 2],
            p99=ordered[len(ordered) * 99 // 100],
            errors=self.errors,
            load=worked / seconds,
        )


class Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], expected: int, tally: Tally) -> None:
        self._requests = requests
        self._good = b"HTTP/1.1 %d " % expected
        self._tally = tally
        self._answer = bytearray()
        self._asked = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head = self._answer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._answer, 0, head)
        if length is None:
            self._transport.abort()  # counted as an error: these routes always tell the length
            return
        if len(self._answer) < head + 4 + int(length[1]):
            return
        self._tally.answer(self._asked, ok=self._answer.startswith(self._good))
        self._answer.clear()
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whyever it broke
        self._tally.errors += not self._tally.ended

    def _ask(self) -> None:
        if not self._tally.ended:
            self._asked = self._tally.ask()
            self._transport.write(next(self._requests))


async def run(plan: Plan, standard_input: int) -> Figures:
    tally = Tally()
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(standard_input, closed.set)
    for number in range(plan.connections):
        place = number * len(plan.requests) // plan.connections
        turns = islice(cycle(plan.requests), place, None)
        await loop.create_connection(partial(Connection, turns, plan.expected, tally), HOST, plan.port)
    await _pass(plan.warm_up, closed)
    tally.begin()
    await _pass(plan.seconds, closed)
    figures = tally.figures()
    await tally.last_answer(_PATIENCE_SECONDS)
    return figures


async def _pass(seconds: float | None, closed: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(closed.wait(), seconds)
    except TimeoutError:
        return


def main() -> None:
    with os.fdopen(sys.stdin.fileno(), "rb", closefd=False) as standard_input:
        plan = msgspec.json.decode(standard_input.readline(), type=Plan)
    figures = uvloop.run(run(plan, sys.stdin.fileno()))
    sys.stdout.write(msgspec.json.encode(figures).decode())


if __name__ == "__main__":
    main()
