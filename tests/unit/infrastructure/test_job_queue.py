import asyncio
import pickle
import secrets
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from arq.connections import ArqRedis, create_pool
from arq.constants import job_key_prefix
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from domain.errors import Unavailable
from infrastructure.job_queue import JOB, QUEUE, ArqDoorbell, pack, redis_settings, unpack


@pytest.fixture
async def doorbell(redis_url: str) -> AsyncIterator[ArqDoorbell]:
    bell = ArqDoorbell(redis_url)
    yield bell
    await bell.aclose()


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[ArqRedis]:
    """The worker's side."""
    pool = await create_pool(redis_settings(redis_url), job_deserializer=unpack, default_queue_name=QUEUE)
    yield pool
    await pool.aclose()


@pytest.fixture
def nobodys_url() -> str:
    """An address where nothing listens, with a password in it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return f"redis://:{secrets.token_hex(8)}@127.0.0.1:{port}/0"


async def jobs(queue: ArqRedis) -> list[tuple[str, tuple[Any, ...]]]:
    return [(job.function, tuple(job.args)) for job in await queue.queued_jobs(queue_name=QUEUE)]


async def test_a_job_is_the_number_of_a_row_and_nothing_else(doorbell: ArqDoorbell, queue: ArqRedis) -> None:
    """What passes through Redis and its logs tells nothing about anybody."""
    await doorbell.ring_now([(7, 0), (8, 3)])
    assert sorted(await jobs(queue)) == [(JOB, (7,)), (JOB, (8,))]


async def test_ringing_twice_for_one_delivery_queues_one_job(doorbell: ArqDoorbell, queue: ArqRedis) -> None:
    """The next delivery of the row is another job, for the first may have been lost."""
    for delivery in (0, 0, 1):
        await doorbell.ring_now([(7, delivery)])
    assert await jobs(queue) == [(JOB, (7,))] * 2


async def test_a_job_waits_for_a_worker_for_a_day(doorbell: ArqDoorbell, queue: ArqRedis) -> None:
    """A worker that was away for hours still finds what it is to do."""
    await doorbell.ring_now([(7, 0)])
    assert 86_000_000 < await queue.pttl(f"{job_key_prefix}outbox:7:0") <= 86_400_000


async def test_ringing_does_not_wait(doorbell: ArqDoorbell, queue: ArqRedis) -> None:
    """Closing does, for what is being rung."""
    doorbell.ring([(7, 0)])
    await doorbell.aclose()
    assert await jobs(queue) == [(JOB, (7,))]


async def test_a_redis_that_is_away_disturbs_nobody(nobodys_url: str) -> None:
    """It is noted, with the host and without the password; the relay rings again later."""
    bell = ArqDoorbell(nobodys_url)
    with capture_logs() as log:
        bell.ring([(7, 0), (8, 0)])
        await bell.aclose()
    assert [(line["event"], line["host"], line["items"]) for line in log] == [("doorbell_silent", "127.0.0.1", 2)]
    assert nobodys_url.split(":")[2].split("@", maxsplit=1)[0] not in str(log)


async def test_whoever_waits_learns_that_redis_is_away(nobodys_url: str) -> None:
    bell = ArqDoorbell(nobodys_url)
    with pytest.raises((RedisError, OSError)):
        await bell.ping()
    with pytest.raises(Unavailable):
        await bell.ring_now([(7, 0)])
    await bell.aclose()


async def test_many_rings_at_once_share_the_connections(doorbell: ArqDoorbell, queue: ArqRedis) -> None:
    await asyncio.gather(*(doorbell.ring_now([(row, 0)]) for row in range(200)))
    assert len(await jobs(queue)) == 200


def test_what_is_in_redis_is_read_and_never_run() -> None:
    """Not pickle: whoever can write there cannot make the worker run code."""
    job = {"t": 1, "f": "deliver", "a": (7,), "k": {}, "et": 1}
    assert unpack(pack(job)) == job | {"a": [7]}
    with pytest.raises(Exception, match=r"."):
        unpack(pickle.dumps(job))


async def test_operators_are_told_how_many_rings_wait(doorbell: ArqDoorbell, nobodys_url: str) -> None:
    """And that Redis does not answer, which is no reason to fail."""
    assert await doorbell.length() == 0
    await doorbell.ring_now([(7, 0), (8, 0), (8, 1)])
    assert await doorbell.length() == 3
    lost = ArqDoorbell(nobodys_url)
    assert await lost.length() is None
    await lost.aclose()
