"""Redis is a doorbell: whatever happens to it, what was accepted is rendered once."""

import os
import signal

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.provider import NO_WEBHOOKS, signal_at
from tests.faults.rig import LEASE_SECONDS, Rig
from tests.faults.slow_network import late_by

GENERATE = "/api/v1/image/generate"


async def test_a_try_on_accepted_while_redis_is_stopped_is_rendered_all_the_same(rig: Rig, customer: Customer) -> None:
    """The answer is 202 as ever, the worker looks by the clock, and nothing has to be started again for the next."""
    rig.provider.expect(creates=2)
    rig.valkey.stop()
    async with customer.charged(2):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"
        rig.valkey.start()
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_try_on_whose_bell_was_flushed_is_rendered(rig: Rig, customer: Customer) -> None:
    """Redis forgets everything between the bell and the worker: the outbox remembers."""
    rig.provider.expect(creates=1)
    rig.worker.kill()
    async with customer.charged(1), Redis.from_url(rig.valkey.url) as redis:
        image = await customer.generate()
        await eventually(lambda: redis.zcard("hairtryon:jobs"))
        await redis.flushall()
        rig.worker.start()
        assert (await customer.outcome(image)).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_create_under_way_when_redis_dies_is_not_repeated(rig: Rig, customer: Customer) -> None:
    """The bell has done its part: the job that it began goes on without it."""
    rig.provider.expect(creates=1)
    since = rig.log_sizes()
    await rig.provider.script(NO_WEBHOOKS, signal_at("create", rig.valkey.pid, delay=2 * LEASE_SECONDS))
    async with customer.charged(1):
        image = await customer.generate()
        await eventually(lambda: "redis_away" in {line["event"] for line in rig.logged(since, "worker")})
        rig.valkey.start()
        assert (await customer.outcome(image)).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_frozen_redis_keeps_no_customer_waiting(rig: Rig, customer: Customer) -> None:
    """It takes connections and answers nothing: whoever is answered has been so before Redis is given up."""
    rig.provider.expect(creates=1)
    since = rig.log_sizes()

    def happened() -> list[str]:
        """From the customer's order on, as the API tells it."""
        told = [line["event"] for line in rig.logged(since, "api") if line.get("route") in {None, GENERATE}]
        return [event for event in told if event in {"request", "doorbell_silent"}]

    os.kill(rig.valkey.pid, signal.SIGSTOP)
    async with customer.charged(1):
        try:
            image = await customer.generate()
            await eventually(lambda: "doorbell_silent" in happened())
            assert happened()[0] == "request"
            assert (await customer.outcome(image)).status == "COMPLETED"
        finally:
            os.kill(rig.valkey.pid, signal.SIGCONT)
        rig.mend()


@pytest.mark.exhaustive
async def test_a_redis_that_is_away_for_longer_is_no_error(rig: Rig, customer: Customer) -> None:
    """The worker says that it hears no bell, goes on by the clock, and hears it again when Redis is back."""
    rig.provider.expect(creates=2)
    since = rig.log_sizes()

    def told() -> int:
        return [line["event"] for line in rig.logged(since, "worker")].count("redis_away")

    rig.valkey.stop()
    async with customer.charged(2):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"
        await eventually(lambda: told() >= 2)
        rig.valkey.start()
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"
        async with Redis.from_url(rig.valkey.url) as redis:
            await redis.zadd("hairtryon:jobs", {"a bell of long ago": 1})
            await eventually(lambda: _is_empty(redis))


async def _is_empty(redis: Redis) -> bool:
    return not await redis.zcard("hairtryon:jobs")


@pytest.mark.exhaustive
async def test_with_a_slow_redis_everything_is_rendered_once(rig: Rig, customer: Customer) -> None:
    """Every question to it takes half a second, of API and worker: what was accepted is rendered, and paid, once."""
    rig.provider.expect(creates=3)
    rig.worker.kill()
    with late_by(0.25, rig.valkey.port) as port:
        slow = rig.valkey.url.replace(f":{rig.valkey.port}", f":{port}")
        rig.add_worker(REDIS_URL=slow)
        with rig.another_api(REDIS_URL=slow) as url:
            async with customer.charged(3):
                customer.http.base_url = httpx.URL(f"{url}/api/v1")
                images = [await customer.generate() for _ in range(3)]
                assert {(await customer.outcome(image)).status for image in images} == {"COMPLETED"}
        rig.mend()
        customer.http.base_url = httpx.URL(f"{rig.url}/api/v1")


@pytest.mark.exhaustive
async def test_rows_that_were_taken_in_vain_a_thousand_times_hold_up_nothing(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """Whatever came of the work that was begun so often, it is done as soon as it can be."""
    rig.provider.expect(creates=1)
    rig.worker.kill()
    async with customer.charged(1):
        image = await customer.generate()
        await database.execute("UPDATE outbox SET deliveries = 1500, due_at = now()")
        async with Redis.from_url(rig.valkey.url) as redis:
            await redis.flushall()
        rig.worker.start()
        assert (await customer.outcome(image)).status == "COMPLETED"
