import asyncio
import pickle
import secrets
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from arq.connections import ArqRedis, create_pool
from arq.worker import Worker, func
from redis.exceptions import RedisError
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.testing import capture_logs

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


async def test_a_job_says_that_there_is_something_to_do_and_nothing_else(
    doorbell: ArqDoorbell, queue: ArqRedis
) -> None:
    """What passes through Redis and its logs tells nothing about anybody. Closing waits for what is being rung."""
    doorbell.ring()
    await doorbell.aclose()
    assert await jobs(queue) == [(JOB, ())]


async def test_however_often_it_is_rung_one_job_waits(doorbell: ArqDoorbell, queue: ArqRedis, redis_url: str) -> None:
    """By one process or by several: after an hour without a worker there is one to be heard."""
    other = ArqDoorbell(redis_url)
    for _ in range(100):
        doorbell.ring()
        other.ring()
        await asyncio.sleep(0)
    await doorbell.aclose()
    await other.aclose()
    assert await jobs(queue) == [(JOB, ())]


async def test_a_bell_that_was_heard_can_be_rung_again(doorbell: ArqDoorbell, queue: ArqRedis, redis_url: str) -> None:
    heard = 0

    async def look(_: dict[Any, Any]) -> None:
        nonlocal heard
        heard += 1

    for turn in (1, 2):
        doorbell.ring()
        async with asyncio.timeout(10):
            while not await jobs(queue):  # noqa: ASYNC110 - another connection writes it
                await asyncio.sleep(0.01)
        worker = Worker(
            [func(look, name=JOB)],  # type: ignore[arg-type]
            queue_name=QUEUE,
            redis_settings=redis_settings(redis_url),
            burst=True,
            handle_signals=False,
            keep_result=0,
            poll_delay=0.01,
            job_serializer=pack,
            job_deserializer=unpack,
        )
        await worker.async_run()
        await worker.close()
        assert heard == turn


async def test_a_redis_that_is_away_disturbs_nobody(nobodys_url: str) -> None:
    """It is noted, with the host and without the password; the next ring is tried all the same."""
    bell = ArqDoorbell(nobodys_url)
    with capture_logs() as log:
        bell.ring()
        async with asyncio.timeout(10):
            while not log:  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0.01)
        bell.ring()
        await bell.aclose()
    assert [(line["event"], line["host"]) for line in log] == [("doorbell_silent", "127.0.0.1")] * 2
    assert nobodys_url.split(":")[2].split("@", maxsplit=1)[0] not in str(log)


async def test_a_ring_is_logged_as_nobodys_work(nobodys_url: str) -> None:
    """One call rings for all who came in that moment: it is not to be told as the request of the first of them."""
    bell = ArqDoorbell(nobodys_url)
    with capture_logs(processors=[merge_contextvars]) as log:
        with bound_contextvars(request_id="of-ada", user_id=1):
            bell.ring()
        await bell.aclose()
    assert [line.keys() & {"request_id", "user_id"} for line in log] == [set()]


async def test_whoever_asks_learns_that_redis_is_away(nobodys_url: str) -> None:
    bell = ArqDoorbell(nobodys_url)
    with pytest.raises((RedisError, OSError)):
        await bell.ping()
    await bell.aclose()


def test_what_is_in_redis_is_read_and_never_run() -> None:
    """Not pickle: whoever can write there cannot make the worker run code."""
    job = {"t": 1, "f": "look", "a": (7,), "k": {}, "et": 1}
    assert unpack(pack(job)) == job | {"a": [7]}
    with pytest.raises(Exception, match=r"."):
        unpack(pickle.dumps(job))


async def test_operators_are_told_whether_it_answers(doorbell: ArqDoorbell, nobodys_url: str) -> None:
    """That Redis does not is no reason to fail."""
    assert await doorbell.answers()
    lost = ArqDoorbell(nobodys_url)
    assert not await lost.answers()
    await lost.aclose()
