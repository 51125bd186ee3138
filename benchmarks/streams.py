"""A thousand customers who watch a try-on each, on one process: what they cost in memory, and those who ask for status.

The memory of a stream is held against one of the floor's, which says nothing and waits. What must not grow with time is
seen after three thousand events and two heartbeats. The product's own targets, but for flat memory, are these.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import asyncpg
import msgspec
from msgspec import structs
from redis import Redis

from benchmarks import cores, data, listeners
from benchmarks.customers import Customers
from benchmarks.load import Figures
from benchmarks.measure import Row, Target, compare, compare_amounts, program, run
from benchmarks.reads import STATUS
from benchmarks.rig import Rig, Server
from infrastructure.progress_bell import channel_of

_STREAMS = data.USERS
_EVENTS_EACH = 3
_SECONDS = 35.0
"""Two heartbeats."""
_CONNECTIONS = 32
_ROUNDS = 3
_SLIM = Target("<=", 2.0)
"""A stream of ours listens for its customer, checks its session and looks at its log; the floor's does nothing."""
_FLAT = Target("<=", 1.1)
_STATUS_MEANWHILE = 0.7
"""Every stream asks every five seconds whether its session still stands: of a thousand, two hundred a second."""
_SETTLE_SECONDS = 2.0

_EVENT = """
INSERT INTO image_events (image_id, id, view, status)
SELECT image_id, 1 + coalesce((SELECT max(id) FROM image_events AS known WHERE known.image_id = fresh.image_id), 0),
    'front', 'PROCESSING'
FROM unnest($1::bigint[]) AS fresh(image_id)
RETURNING image_id, id
"""


def streams(rig: Rig) -> Iterator[Row]:
    customers = Customers(rig.environ["SECRET_KEY"])
    ours = customers.watch("/api/v1/image/{image}/events", _STREAMS)
    theirs = customers.watch("/events/{image}", _STREAMS)
    status, bare_status = customers.get(STATUS), customers.get("/status/{image}")
    yield compare_amounts(
        "memory of a stream",
        f"{_STREAMS:,} streams",
        ours=partial(_kilobytes_each, rig.api, ours, status),
        theirs=partial(_kilobytes_each, rig.floor, theirs, bare_status),
        against="the floor's",
        unit="kB",
        target=_SLIM,
        rounds=_ROUNDS,
    )
    with rig.api(cores.SERVER) as api:
        run(api.port, status, _CONNECTIONS)  # the first requests open connections and compile statements
        yield _over_time(rig, api, ours)
        yield compare(
            f"status beside {_STREAMS:,} streams",
            _CONNECTIONS,
            server=api,
            ours=partial(_beside_streams, api, ours, status),
            theirs=partial(run, api.port, status, _CONNECTIONS),
            against="itself without streams",
            target=_STATUS_MEANWHILE,
            rounds=_ROUNDS,
        )
    rig.restore()


def _kilobytes_each(
    serve: Callable[[cores.Cores], AbstractContextManager[Server]], requests: list[bytes], first: list[bytes]
) -> float:
    with serve(cores.SERVER) as server:
        run(server.port, first, _CONNECTIONS)
        before = server.process.memory
        with _open(server, requests):
            time.sleep(_SETTLE_SECONDS)
            return (server.process.memory - before) * 1024 / len(requests)


def _over_time(rig: Rig, api: Server, requests: list[bytes]) -> Row:
    """What a while of events and heartbeats leaves behind; every event must have come to its stream."""
    with _open(api, requests) as listened:
        time.sleep(_SETTLE_SECONDS)
        early = api.process.memory
        asyncio.run(_happen(rig))
        time.sleep(_SETTLE_SECONDS)
        late = api.process.memory
    (figures,) = listened
    return Row(
        work="memory of all streams",
        under=f"{_EVENTS_EACH * len(requests):,} events, {_SECONDS:.0f} s",
        against="just opened",
        unit="MB",
        ours=late,
        theirs=early,
        ratio=late / early,
        target=_FLAT,
        errors=figures.broken + abs(_EVENTS_EACH * len(requests) - figures.events),
    )


def _beside_streams(api: Server, requests: list[bytes], status: list[bytes]) -> Figures:
    with _open(api, requests) as listened:
        time.sleep(_SETTLE_SECONDS)
        figures = run(api.port, status, _CONNECTIONS)
    return structs.replace(figures, errors=figures.errors + sum(each.broken for each in listened))


@contextmanager
def _open(server: Server, requests: list[bytes]) -> Iterator[list[listeners.Figures]]:
    """Keep streams open until the end of the block; what became of them is then in the list."""
    plan = listeners.Plan(port=server.port, requests=requests)
    listened: list[listeners.Figures] = []
    line = msgspec.json.encode(plan) + b"\n"
    with program(cores.OTHERS, "benchmarks.listeners", first_line=line) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError("The streams cannot be opened.")
        yield listened
        output, _ = process.communicate()
    listened.append(msgspec.json.decode(output, type=listeners.Figures))


async def _happen(rig: Rig) -> None:
    """Add to the log of every try-on that is watched, and tell of it, evenly over the time."""
    images = {data.USUAL.open_image_of(user): user for user in range(1, _STREAMS + 1)}
    connection = await asyncpg.connect(rig.environ["DATABASE_URL"])
    redis = Redis.from_url(rig.environ["REDIS_URL"])
    try:
        for _ in range(_EVENTS_EACH):
            added = await connection.fetch(_EVENT, list(images))
            with redis.pipeline(transaction=False) as pipe:
                for image, _ in added:
                    pipe.publish(channel_of(images[image]), str(image))
                pipe.execute()
            await asyncio.sleep(_SECONDS / _EVENTS_EACH)
    finally:
        redis.close()
        await connection.close()
