"""How long an API's event loop was held up, as its own metric tells: a look every 50 ms, and how late each was.

A histogram tells no longer time than the bound of the bucket that it fell into, so that is what is said: "25 ms" is
more than 10 and at most 25.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from msgspec import Struct

from benchmarks.load import HOST
from benchmarks.rig import Server

_LOOKS = re.compile(
    r'^hairtryon_event_loop_late_seconds_bucket\{le="([^"]+)",process="api@[^"]*:(\d+)"\} (\d+)', re.MULTILINE
)


class Watch(Struct):
    longest: float | None = None
    """Milliseconds, when the block has ended; infinite where it was longer than the metric can tell."""
    memory: float | None = None
    """Megabytes that the API has then."""


@contextmanager
def watching(server: Server) -> Iterator[Watch]:
    watch = Watch()
    before = _looks(server)
    yield watch
    grown = {bound: count - before.get(bound, 0) for bound, count in _looks(server).items()}
    watch.longest = min(bound for bound, count in grown.items() if count == max(grown.values())) * 1e3
    watch.memory = server.process.memory


def _looks(server: Server) -> dict[float, int]:
    """How many of this process's looks were so late at most, by bounds in seconds."""
    connection = HTTPConnection(HOST, server.port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    return {
        float(bound): int(float(count)) for bound, pid, count in _LOOKS.findall(text) if int(pid) == server.process.pid
    }
