"""Ours and what it is held against in turn, so that whatever else the machine does meets both alike."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from statistics import median
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct, field

from benchmarks import cores, wrk
from benchmarks.load import HOST, Figures, Plan
from benchmarks.rig import Server
from benchmarks.watchdog import Watch, watching

ROUNDS = 5
SECONDS = 2.0
WARM_UP_SECONDS = 0.5

Unit = Literal["/s", "ms", "MB", "kB", ""]
T = TypeVar("T")


class Target(Struct, frozen=True):
    """What a ratio has to be."""

    sign: Literal[">=", "<="]
    bound: float

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"

    def is_met(self, ratio: float) -> bool:
        return ratio >= self.bound if self.sign == ">=" else ratio <= self.bound


class Tail(Struct, frozen=True, kw_only=True):
    """How long answers take, in seconds."""

    ours: tuple[float, float]
    """p50 and p99."""
    theirs: tuple[float, float]
    ratio: float
    """Our p99 over theirs."""
    target: Target | None


class Row(Struct, frozen=True, kw_only=True):
    """One line of the results. Each figure is the median over the rounds, but for errors, which are added up."""

    work: str
    under: str
    """Under how much of what."""
    against: str
    """What ours is held against."""
    unit: Unit
    ours: float
    theirs: float | None = None
    ratio: float | None = None
    """Ours over theirs, of the rounds' own ratios: the two runs of a round are neighbours in time."""
    target: Target | None = None
    tail: Tail | None = None
    watch: Watch = field(default_factory=Watch)
    """Of the API."""
    errors: int = 0
    load: float = 0.0
    """The share of one core that the load took."""

    @property
    def met(self) -> bool:
        claims = [(self.ratio, self.target), *([(self.tail.ratio, self.tail.target)] if self.tail else [])]
        missed = [target for ratio, target in claims if target and not (ratio is not None and target.is_met(ratio))]
        return not missed and not self.errors


def compare(
    work: str,
    connections: int,
    *,
    server: Server,
    ours: Callable[[], Figures],
    theirs: Callable[[], Figures],
    against: str,
    target: float | None,
    tail_target: float | None = None,
    rounds: int = ROUNDS,
) -> Row:
    """Hold answers a second against each other: ours should be `target` times theirs, or more; `server` is watched."""
    with watching(server) as watch:
        pairs = in_turn(ours, theirs, rounds)
    runs = [figures for pair in pairs for figures in pair]
    return Row(
        work=work,
        under=f"{connections} connections",
        against=against,
        unit="/s",
        ours=median(first.rate for first, _ in pairs),
        theirs=median(second.rate for _, second in pairs),
        ratio=median(first.rate / second.rate for first, second in pairs),
        target=None if target is None else Target(">=", target),
        tail=Tail(
            ours=_latencies([first for first, _ in pairs]),
            theirs=_latencies([second for _, second in pairs]),
            ratio=median(first.p99 / second.p99 for first, second in pairs),
            target=None if tail_target is None else Target("<=", tail_target),
        ),
        watch=watch,
        errors=sum(figures.errors for figures in runs),
        load=max(figures.load for figures in runs),
    )


def compare_amounts(
    work: str,
    under: str,
    *,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    against: str,
    unit: Unit,
    target: Target,
    rounds: int = ROUNDS,
) -> Row:
    pairs = in_turn(ours, theirs, rounds)
    return Row(
        work=work,
        under=under,
        against=against,
        unit=unit,
        ours=median(first for first, _ in pairs),
        theirs=median(second for _, second in pairs),
        ratio=median(first / second for first, second in pairs),
        target=target,
    )


def run(
    port: int, requests: list[bytes], connections: int, *, expected: int = HTTPStatus.OK, seconds: float = SECONDS
) -> Figures:
    """Load one server for a few seconds; `RuntimeError` when it answers nothing."""
    if wrk.COMMAND:
        return _answered(wrk.run(port, requests, connections, seconds=seconds))
    with _loading(port, requests, connections, seconds, expected) as process:
        assert process.stdout is not None
        return _answered(msgspec.json.decode(process.stdout.read(), type=Figures))


def _answered(figures: Figures) -> Figures:
    if not figures.rate:
        raise RuntimeError(f"Nothing was answered: {figures}")
    return figures


def answer(port: int, request: bytes, *, expected: int = HTTPStatus.OK) -> bytes:
    """The body of one answer; `RuntimeError` when its status is another."""
    head, _, content = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    connection = HTTPConnection(HOST, port, timeout=10)
    connection.request(method, path, body=content or None, headers=dict(line.split(": ", 1) for line in lines))
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != expected:
        raise RuntimeError(f"{path} answers {response.status}: {body.decode(errors='replace')}")
    return body


@contextmanager
def meanwhile(
    port: int, requests: list[bytes], connections: int, *, expected: int = HTTPStatus.OK
) -> Iterator[list[Figures]]:
    """Keep up a load until the end of the block, whose figures are then in the list."""
    figures: list[Figures] = []
    with _loading(port, requests, connections, None, expected) as process:
        time.sleep(WARM_UP_SECONDS)
        yield figures
        output, _ = process.communicate()  # closes its standard input, which ends it
    figures.append(msgspec.json.decode(output, type=Figures))


@contextmanager
def program(place: cores.Cores, *command: str, first_line: bytes = b"") -> Iterator[subprocess.Popen[bytes]]:
    """Run one of the benchmarks' own programs, which is told what to do on its standard input."""
    with cores.on(place):
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    with process:
        try:
            assert process.stdin is not None
            process.stdin.write(first_line)
            process.stdin.flush()
            yield process
        except BaseException:
            process.kill()
            raise


@contextmanager
def _loading(
    port: int, requests: list[bytes], connections: int, seconds: float | None, expected: int
) -> Iterator[subprocess.Popen[bytes]]:
    plan = Plan(
        port=port,
        requests=requests,
        connections=connections,
        warm_up=WARM_UP_SECONDS,
        seconds=seconds,
        expected=expected,
    )
    with program(cores.OTHERS, "benchmarks.load", first_line=msgspec.json.encode(plan) + b"\n") as process:
        yield process


def in_turn(ours: Callable[[], T], theirs: Callable[[], T], rounds: int) -> list[tuple[T, T]]:
    """Whoever is second in one round is first in the next."""
    return [(ours(), theirs()) if turn % 2 else (theirs(), ours())[::-1] for turn in range(rounds)]


def _latencies(figures: Sequence[Figures]) -> tuple[float, float]:
    return median(each.p50 for each in figures), median(each.p99 for each in figures)
