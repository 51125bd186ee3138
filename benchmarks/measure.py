"""Load against two things in turn, so that whatever else the machine does meets both alike."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from statistics import median

import msgspec
from msgspec import Struct

from benchmarks import cores
from benchmarks.load import HOST, Figures, Plan

ROUNDS = 5
SECONDS = 2.5
WARM_UP_SECONDS = 0.5


class Row(Struct, frozen=True, kw_only=True):
    """One line of the results. Each figure is the median over the rounds, but for errors, which are added up."""

    work: str
    connections: int
    against: str
    """What ours is held against."""
    ours: Figures
    theirs: Figures
    ratio: float
    """Our rate over theirs, of the rounds' own ratios: the two runs of a round are neighbours in time."""
    target: float
    tail: float
    """Our p99 over theirs, likewise."""
    tail_target: float | None

    @property
    def met(self) -> bool:
        tail_met = self.tail_target is None or self.tail <= self.tail_target
        return self.ratio >= self.target and tail_met and not self.ours.errors and not self.theirs.errors


def compare(
    work: str,
    connections: int,
    *,
    ours: Callable[[], Figures],
    theirs: Callable[[], Figures],
    against: str,
    target: float,
    tail_target: float | None = None,
    rounds: int = ROUNDS,
) -> Row:
    # Whoever is second in one round is first in the next.
    pairs = [(ours(), theirs()) if turn % 2 else (theirs(), ours())[::-1] for turn in range(rounds)]
    return Row(
        work=work,
        connections=connections,
        against=against,
        ours=_middle([first for first, _ in pairs]),
        theirs=_middle([second for _, second in pairs]),
        ratio=median(first.rate / second.rate for first, second in pairs),
        target=target,
        tail=median(first.p99 / second.p99 for first, second in pairs),
        tail_target=tail_target,
    )


def run(port: int, requests: list[str], connections: int) -> Figures:
    """Load one server for a few seconds; `RuntimeError` when it answers nothing."""
    with _loading(port, requests, connections, SECONDS) as process:
        assert process.stdout is not None
        figures = msgspec.json.decode(process.stdout.read(), type=Figures)
    if not figures.rate:
        raise RuntimeError(f"Nothing was answered: {figures}")
    return figures


def answer(port: int, request: str) -> bytes:
    """The body of one answer; `RuntimeError` when it is no 200."""
    head, _, rest = request.partition("\r\n")
    method, path, _ = head.split(" ")
    headers = dict(line.split(": ", 1) for line in rest.strip().split("\r\n"))
    connection = HTTPConnection(HOST, port, timeout=10)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"{path} answers {response.status}: {body.decode(errors='replace')}")
    return body


@contextmanager
def meanwhile(port: int, requests: list[str], connections: int) -> Iterator[list[Figures]]:
    """Keep up a load until the end of the block, whose figures are then in the list."""
    figures: list[Figures] = []
    with _loading(port, requests, connections, None) as process:
        time.sleep(WARM_UP_SECONDS)
        yield figures
        output, _ = process.communicate()  # closes its standard input, which ends it
    figures.append(msgspec.json.decode(output, type=Figures))


@contextmanager
def _loading(
    port: int, requests: list[str], connections: int, seconds: float | None
) -> Iterator[subprocess.Popen[bytes]]:
    plan = Plan(port=port, requests=requests, connections=connections, warm_up=WARM_UP_SECONDS, seconds=seconds)
    with cores.on(cores.OTHERS):
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    with process:
        try:
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(plan) + b"\n")
            process.stdin.flush()
            yield process
        except BaseException:
            process.kill()
            raise


def _middle(figures: list[Figures]) -> Figures:
    return Figures(
        rate=median(each.rate for each in figures),
        p50=median(each.p50 for each in figures),
        p99=median(each.p99 for each in figures),
        errors=sum(each.errors for each in figures),
        load=max(each.load for each in figures),
    )
