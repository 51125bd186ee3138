"""Leases and fences: one worker at a time on a view, and no late word from one that was thought dead."""

import asyncpg
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.provider import NO_WEBHOOKS, signal_at
from tests.faults.rig import LEASE_SECONDS, Rig


@pytest.mark.exhaustive
async def test_a_worker_that_slept_through_its_lease_cannot_store_a_picture(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """Frozen while it fetches the output, it wakes when another has finished: its late write is refused."""
    rig.provider.expect(creates=1)
    since = rig.log_sizes()
    await rig.provider.script(signal_at("output", rig.worker.pid, "SIGSTOP"))
    async with customer.charged(1):
        image = await customer.generate()
        await eventually(lambda: database.fetchval("SELECT EXISTS (SELECT FROM views WHERE lease_until <= now())"))
        rig.add_worker()
        finished = await customer.outcome(image)
        assert finished.status == "COMPLETED"
        rig.worker.thaw()
        await eventually(lambda: "late_finish_refused" in {line["event"] for line in rig.logged(since, "worker")})
        assert await customer.look(image) == finished
    assert await customer.download(finished)


@pytest.mark.exhaustive
async def test_a_worker_that_slept_through_its_lease_cannot_store_a_prediction(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """Frozen while the provider answers its create: another creates anew, and the first one's is called off."""
    rig.provider.expect(creates=2, cancels=1)
    since = rig.log_sizes()
    await rig.provider.script(NO_WEBHOOKS, signal_at("create", rig.worker.pid, "SIGSTOP"))
    async with customer.charged(1):
        image = await customer.generate()
        await eventually(lambda: database.fetchval("SELECT EXISTS (SELECT FROM views WHERE lease_until <= now())"))
        rig.add_worker()
        finished = await customer.outcome(image)
        assert finished.status == "COMPLETED"
        rig.worker.thaw()
        await eventually(lambda: "late_submit_refused" in {line["event"] for line in rig.logged(since, "worker")})
        assert await customer.look(image) == finished


@pytest.mark.exhaustive
async def test_a_prediction_made_for_a_view_that_was_cancelled_meanwhile_is_called_off(
    rig: Rig, customer: Customer
) -> None:
    """The customer cancels while the create is under way: its answer comes too late, and the provider is told so."""
    rig.provider.expect(creates=1, cancels=1)
    await rig.provider.script({"on": "create", "delay": 2, "outcome": {"status": "processing"}})
    async with customer.charged(0):
        image = await customer.generate()
        await eventually(lambda: rig.provider.count("create"))
        assert (await customer.http.post(f"/image/{image}/cancel")).status_code == 202
        assert (await customer.outcome(image)).status == "CANCELLED"
        await eventually(lambda: rig.provider.count("cancel"))


@pytest.mark.exhaustive
async def test_a_worker_that_stands_still_amid_a_transaction_holds_nobody_up_for_long(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """It has locked the try-on and its customer's balance: the database lets go of both, and another finishes."""
    rig.provider.expect(creates=1)
    async with customer.charged(1):
        async with database.transaction():
            await database.execute("LOCK TABLE ledger_entries IN SHARE MODE")
            image = await customer.generate()
            waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'ledger_entries'::regclass)"
            await eventually(lambda: database.fetchval(waits))
            rig.worker.freeze()
        rig.add_worker()
        assert (await customer.outcome(image)).status == "COMPLETED"
        rig.worker.thaw()


@pytest.mark.exhaustive
async def test_a_create_that_takes_longer_than_the_lease_is_not_repeated(rig: Rig, customer: Customer) -> None:
    """A worker that lives keeps its lease, however slow the provider is with its answer."""
    rig.provider.expect(creates=1)
    await rig.provider.script(NO_WEBHOOKS, {"on": "create", "delay": 2 * LEASE_SECONDS})
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_an_output_that_takes_longer_than_the_lease_is_fetched_once(rig: Rig, customer: Customer) -> None:
    """As for a create: a slow download is no reason for a second one beside it."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "output", "delay": 2 * LEASE_SECONDS})
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"
    assert await rig.provider.count("output") == 1


@pytest.mark.exhaustive
async def test_a_view_that_is_announced_three_times_is_rendered_once(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """One claim, one prediction, one charge."""
    rig.provider.expect(creates=1)
    rig.worker.kill()
    async with customer.charged(1):
        image = await customer.generate()
        again = "INSERT INTO outbox (job, payload, due_at) SELECT job, payload, now() FROM outbox"
        await database.execute(again)
        await database.execute(f"{again} LIMIT 1")
        rig.worker.start()
        assert (await customer.outcome(image)).status == "COMPLETED"
    assert await database.fetchval("SELECT claim FROM views WHERE image_id = $1", image) <= 3


@pytest.mark.exhaustive
async def test_two_workers_share_the_work(rig: Rig, customer: Customer) -> None:
    """Side by side they render every view once, and neither does it all: what one has no room for, the other takes."""
    views = 60
    rig.provider.expect(creates=views)
    await rig.provider.script({"on": "create", "times": None, "delay": 2})
    # What a worker sends to the provider tells which one it is: each gives its own address for webhooks.
    rig.add_worker(PUBLIC_URL=rig.url.replace("127.0.0.1", "localhost"))
    async with customer.charged(views):
        images = [await customer.generate() for _ in range(views)]
        assert {(await customer.outcome(image)).status for image in images} == {"COMPLETED"}
    reported_to = {call.body["webhook"].partition("/api")[0] for call in await rig.provider.calls("create")}
    assert len(reported_to) == 2
