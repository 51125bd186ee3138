"""What one generation costs, from its acceptance over HTTP to the finished picture: counted, not timed.

One view each, accepted one after the other, which is faster than a worker finishes them. What both processes do by the
clock meanwhile is in the figures. Statements and bytes are counted on the way to PostgreSQL (`relay.py`), commands and
bytes by Valkey itself. Processor time is what the system says that the two processes took, without the databases' own.
"""

import asyncio
import time
from collections.abc import Iterator
from http import HTTPStatus

from msgspec import Struct
from redis import Redis

from benchmarks import cores
from benchmarks.customers import Customers
from benchmarks.finished import FINISHED, wait_until_done
from benchmarks.measure import Row, Unit, answer
from benchmarks.relay import Relay, relaying_beside
from benchmarks.rig import Process, Rig, Server

_GENERATIONS = 300
_WARM_UP = 60
_SETTLE_SECONDS = 1.0


class Spent(Struct, frozen=True):
    """Since the beginning."""

    api_statements: float
    worker_statements: float
    database_bytes_in: float
    database_bytes_out: float
    redis_commands: float
    redis_bytes_in: float
    redis_bytes_out: float
    stored_bytes: float
    api_seconds: float
    worker_seconds: float


def cost(rig: Rig) -> Iterator[Row]:
    customers = Customers(rig.environ["SECRET_KEY"])
    requests = customers.generate("/api/v1/image/generate")
    database_url = rig.environ["DATABASE_URL"]
    rig.restore()
    with (
        relaying_beside(database_url) as (of_api, apis_address),
        relaying_beside(database_url) as (of_worker, workers_address),
        rig.reached_at(apis_address).api(cores.OTHERS) as api,
        rig.provider(cores.OTHERS, api=api),
        rig.reached_at(workers_address).worker(cores.SERVER) as worker,
    ):
        _generate(rig, api, requests[:_WARM_UP])
        before = _spent(rig, of_api, of_worker, api, worker)
        _generate(rig, api, requests[:_GENERATIONS])
        after = _spent(rig, of_api, of_worker, api, worker)
    rig.restore()
    each = Spent(*((getattr(after, name) - getattr(before, name)) / _GENERATIONS for name in Spent.__struct_fields__))
    yield from (
        _row("statements", "the API", each.api_statements, ""),
        _row("statements", "the worker", each.worker_statements, ""),
        _row("to PostgreSQL", "both", each.database_bytes_in / 1e3, "kB"),
        _row("from PostgreSQL", "both", each.database_bytes_out / 1e3, "kB"),
        _row("commands of Redis", "both", each.redis_commands, ""),
        _row("to Redis", "both", each.redis_bytes_in / 1e3, "kB"),
        _row("from Redis", "both", each.redis_bytes_out / 1e3, "kB"),
        _row("to storage", "the worker", each.stored_bytes / 1e3, "kB"),
        _row("processor time", "the API", each.api_seconds * 1e3, "ms"),
        _row("processor time", "the worker", each.worker_seconds * 1e3, "ms"),
    )


def _row(what: str, whose: str, amount: float, unit: Unit) -> Row:
    return Row(work=f"a generation's {what}", under=whose, against="", unit=unit, ours=amount)


def _generate(rig: Rig, api: Server, requests: list[bytes]) -> None:
    """Have so many accepted, and wait until they are finished and what follows is done."""

    async def accept_all() -> None:
        async with wait_until_done(rig, len(requests), FINISHED):
            for request in requests:
                await asyncio.to_thread(answer, api.port, request, expected=HTTPStatus.ACCEPTED)

    asyncio.run(accept_all())
    time.sleep(_SETTLE_SECONDS)


def _spent(rig: Rig, of_api: Relay, of_worker: Relay, api: Server, worker: Process) -> Spent:
    with Redis.from_url(rig.environ["REDIS_URL"]) as redis:
        told = redis.info("stats")
    media = rig.folder / "media"
    return Spent(
        api_statements=len(of_api.statements),
        worker_statements=len(of_worker.statements),
        database_bytes_in=of_api.bytes_in + of_worker.bytes_in,
        database_bytes_out=of_api.bytes_out + of_worker.bytes_out,
        redis_commands=told["total_commands_processed"],
        redis_bytes_in=told["total_net_input_bytes"],
        redis_bytes_out=told["total_net_output_bytes"],
        stored_bytes=sum(file.stat().st_size for file in media.rglob("*") if file.is_file()),
        api_seconds=api.process.worked,
        worker_seconds=worker.worked,
    )
