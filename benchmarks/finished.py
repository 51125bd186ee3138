"""Generations finished by one `hairtryon worker`, and its memory while it waits for many.

The provider takes no time, and reports by signed webhooks to an API beside the worker, as in production: the API notes
the news and wakes the worker for the output. The worker has a core to itself; API, provider, PostgreSQL and Valkey
share the others, as PostgreSQL and the provider do while the floor (`bare_worker`) runs. Time counts from when the
bell is rung for the first of the accepted try-ons to the last one's `finished_at`, by the database's clock.
"""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import asyncpg

from benchmarks import cores, data
from benchmarks.bare_worker import AT_ONCE, WARM_UP
from benchmarks.measure import Row, Target, compare_amounts
from benchmarks.rig import Rig, module
from infrastructure.job_queue import ArqDoorbell

_GENERATIONS = 400
_ROUNDS = 3
_FEW, _MANY = 1_000, 10_000
_FLAT = Target("<=", 1.15)
"""Nothing is to be kept per prediction in flight: the rest is what an allocator holds on to while it is busy."""
_LOOK_AGAIN_SECONDS = 0.2
_PATIENCE_SECONDS = 900.0
_SETTLE_SECONDS = 5.0

FINISHED = "SELECT count(*), max(finished_at) FROM views WHERE image_id > $1 AND status = 'COMPLETED'"
"""How many are, and when the last one was."""
_IN_FLIGHT = "SELECT count(*), now() FROM views WHERE image_id > $1 AND prediction_id IS NOT NULL"


def finished(rig: Rig) -> Iterator[Row]:
    rig.restore()
    with rig.api(cores.OTHERS) as api, rig.provider(cores.OTHERS, api=api):
        yield compare_amounts(
            "finished",
            f"{AT_ONCE} jobs at once",
            ours=partial(_ours, rig),
            theirs=partial(_theirs, rig),
            against="the bare sum",
            unit="/s",
            target=Target(">=", 0.5),
            rounds=_ROUNDS,
        )


def memory(rig: Rig) -> Iterator[Row]:
    rig.restore()
    with rig.provider(cores.OTHERS), rig.worker(cores.SERVER) as worker:
        sizes = []
        for more in (_FEW, _MANY - _FEW):
            asyncio.run(_accept_until(rig, more, _IN_FLIGHT))
            time.sleep(_SETTLE_SECONDS)
            sizes.append(worker.memory)
    rig.restore()
    few, many = sizes
    yield Row(
        work="worker's memory",
        under=f"{_MANY:,} predictions",
        against=f"itself with {_FEW:,}",
        unit="MB",
        ours=many,
        theirs=few,
        ratio=many / few,
        target=_FLAT,
    )


def _ours(rig: Rig) -> float:
    with rig.worker(cores.SERVER):
        seconds_to_finish(rig, WARM_UP)
        seconds = seconds_to_finish(rig, _GENERATIONS)
    rig.restore()
    return _GENERATIONS / seconds


def _theirs(rig: Rig) -> float:
    asyncio.run(_accept(rig, WARM_UP + _GENERATIONS))
    with cores.on(cores.SERVER):
        done = subprocess.run(  # noqa: S603 - our own command line
            module("benchmarks.bare_worker"), env=rig.environ, check=True, stdout=subprocess.PIPE
        )
    rig.restore()
    return float(done.stdout)


def seconds_to_finish(rig: Rig, count: int) -> float:
    """How many seconds the workers that run take to finish so many more."""
    return asyncio.run(_accept_until(rig, count, FINISHED))


async def _accept(rig: Rig, count: int) -> None:
    connection = await asyncpg.connect(rig.environ["DATABASE_URL"])
    try:
        await data.accept(connection, count)
    finally:
        await connection.close()


async def _accept_until(rig: Rig, count: int, progress: str) -> float:
    """Accept so many more, ring, and return how many seconds it took until `progress` counted them all."""
    connection = await asyncpg.connect(rig.environ["DATABASE_URL"])
    try:
        began: datetime = await connection.fetchval("SELECT clock_timestamp()")
        async with wait_until_done(rig, count, progress) as ended:
            await data.accept(connection, count)
            await _ring(rig.environ["REDIS_URL"])
        return (ended[0] - began).total_seconds()
    finally:
        await connection.close()


@asynccontextmanager
async def wait_until_done(rig: Rig, count: int, progress: str) -> AsyncIterator[list[datetime]]:
    """Wait after the block until `progress` counts so many more than before it; the list then has the time."""
    connection = await asyncpg.connect(rig.environ["DATABASE_URL"])
    try:
        before, _ = await connection.fetchrow(progress, data.IMAGES)
        last: list[datetime] = []
        yield last
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        done = before
        while time.monotonic() < give_up_at:
            done, ended = await connection.fetchrow(progress, data.IMAGES)
            if done == before + count:
                last.append(ended)
                return
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        raise RuntimeError(f"The worker came to {done - before} of {count} only.")
    finally:
        await connection.close()


async def _ring(redis_url: str) -> None:
    """Ring as the API does after it has accepted a try-on."""
    bell = ArqDoorbell(redis_url)
    bell.ring()
    await bell.aclose()
