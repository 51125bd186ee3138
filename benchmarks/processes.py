"""What a second process adds: two APIs against one, and two workers against one.

A machine of two cores cannot show it by rates alone: database, load and the second API would share what the first one
had for itself. So each is asked in a way in which the cores are not the limit:

- **Two APIs, a core each.** Both are loaded as far as they go. What counts is processor time: how many requests are
  answered in the time in which the busier of them uses up one second of a core. That is what they serve on a core each,
  as long as the database keeps up; locks, uneven work or more of it per request would show. What load and database take
  does not enter.
- **Two APIs, the database far away.** Its answers come 20 ms later (`relay.py`), so that an API waits for most of the
  time and its connections are the limit. Here plain rates count.
- **Two workers, a provider that takes half a second** for each create and each picture. A worker has 40 jobs in hand
  at most, and fetches 16 pictures at once, so it waits for most of the time.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from benchmarks import cores
from benchmarks.customers import Customers
from benchmarks.finished import seconds_to_finish
from benchmarks.load import Figures
from benchmarks.measure import Row, Target, compare_amounts, meanwhile, run
from benchmarks.reads import STATUS
from benchmarks.relay import relaying_beside
from benchmarks.rig import Rig, Server

_CONNECTIONS = 64
_AWAY_SECONDS = 0.02
_WAITING_CONNECTIONS = 128
_STEADY_SECONDS = 2.0
_WORTH = Target(">=", 1.7)
_ROUNDS = 3
_PROVIDER_SECONDS = 0.5
_GENERATIONS = 240


def processes(rig: Rig) -> Iterator[Row]:
    yield _a_core_each(rig)
    yield _far_from_the_database(rig)
    yield _workers(rig)


def _a_core_each(rig: Rig) -> Row:
    requests = Customers(rig.environ["SECRET_KEY"]).get(STATUS)
    with rig.api(cores.ALL) as first, rig.api(cores.ALL, name="api-2") as second:
        for api in (first, second):
            run(api.port, requests, _CONNECTIONS)  # the first requests open connections and compile statements
        return compare_amounts(
            "status, two APIs",
            "a core each",
            ours=partial(_per_core, [first, second], requests),
            theirs=partial(_per_core, [first], requests),
            against="one",
            unit="/s",
            target=_WORTH,
            rounds=_ROUNDS,
        )


def _per_core(apis: Sequence[Server], requests: list[bytes]) -> float:
    """How many answers all of them give while the busiest of them uses up a second of processor time."""
    with ExitStack() as stack:
        loads = [stack.enter_context(meanwhile(api.port, requests, _CONNECTIONS // len(apis))) for api in apis]
        before = [api.process.worked for api in apis]
        time.sleep(_STEADY_SECONDS)
        busiest = max(api.process.worked - then for api, then in zip(apis, before, strict=True)) / _STEADY_SECONDS
    return _answered([figures for load in loads for figures in load]) / busiest


def _far_from_the_database(rig: Rig) -> Row:
    requests = Customers(rig.environ["SECRET_KEY"]).get(STATUS)
    with relaying_beside(rig.environ["DATABASE_URL"], late=_AWAY_SECONDS) as (_, address):
        far = rig.reached_at(address)
        with far.api(cores.ALL) as first, far.api(cores.ALL, name="api-2") as second:
            for api in (first, second):
                run(api.port, requests, _WAITING_CONNECTIONS)
            return compare_amounts(
                "status, two APIs",
                f"database {_AWAY_SECONDS * 1e3:.0f} ms away",
                ours=partial(_at_once, [first, second], requests),
                theirs=partial(_at_once, [first], requests),
                against="one",
                unit="/s",
                target=_WORTH,
                rounds=_ROUNDS,
            )


def _at_once(apis: Sequence[Server], requests: list[bytes]) -> float:
    with ThreadPoolExecutor(len(apis)) as threads:
        return _answered(list(threads.map(lambda api: run(api.port, requests, _WAITING_CONNECTIONS), apis)))


def _answered(figures: Sequence[Figures]) -> float:
    if any(each.errors for each in figures):
        raise RuntimeError(f"Requests were refused: {figures}")
    return sum(each.rate for each in figures)


def _workers(rig: Rig) -> Row:
    rig.restore()
    with rig.api(cores.ALL) as api, rig.provider(cores.ALL, api=api, seconds=_PROVIDER_SECONDS):
        return compare_amounts(
            "finished, two workers",
            f"provider takes {_PROVIDER_SECONDS:g} s",
            ours=partial(_finished, rig, 2),
            theirs=partial(_finished, rig, 1),
            against="one",
            unit="/s",
            target=_WORTH,
            rounds=_ROUNDS,
        )


def _finished(rig: Rig, workers: int) -> float:
    with ExitStack() as stack:
        for number in range(workers):
            stack.enter_context(rig.worker(cores.ALL, name=f"worker-{number + 1}"))
        seconds = seconds_to_finish(rig, _GENERATIONS)
    rig.restore()
    return _GENERATIONS / seconds
