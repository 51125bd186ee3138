"""Without PostgreSQL nothing works, and the moment it is back everything does, with nobody starting anything again."""

import asyncio
import contextlib
from collections import Counter

import asyncpg
import httpx
import pytest

from bootstrap.container.persistence import SESSION_CONNECTIONS
from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.provider import NO_WEBHOOKS, signal_at
from tests.faults.rig import Rig


async def test_while_postgres_is_stopped_the_api_says_so_and_recovers_with_it(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """503 with Retry-After; alive, not ready; afterwards the same processes accept and render."""
    rig.provider.expect(creates=2)
    processes = rig.api.pid, rig.worker.pid
    await rig.provider.script({"on": "create", "outcome": {"latency_seconds": 4}})
    async with customer.charged(2), httpx.AsyncClient(base_url=rig.url, trust_env=False) as probe:
        begun = await customer.generate()
        submitted = "SELECT EXISTS (SELECT FROM views WHERE image_id = $1 AND prediction_id IS NOT NULL)"
        await eventually(lambda: database.fetchval(submitted, begun))
        rig.postgres.stop()
        for refused in (await customer.ask(), await customer.http.get("/user/me")):
            assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
            assert int(refused.headers["Retry-After"]) >= 1
        assert (await probe.get("/health/live")).status_code == 200
        assert (await probe.get("/health/ready")).status_code == 503
        await asyncio.sleep(3)
        rig.postgres.start()
        await eventually(lambda: is_ready(probe))
        for image in (begun, await customer.generate()):
            assert (await customer.outcome(image)).status == "COMPLETED"
    assert (rig.api.pid, rig.worker.pid) == processes
    assert rig.api.running
    assert rig.worker.running


@pytest.mark.exhaustive
async def test_a_crash_of_postgres_loses_no_try_on(rig: Rig, customer: Customer) -> None:
    """Killed while four views are under way, and started again: all are rendered and charged once."""
    views = ("front", "right", "left", "back")
    rig.provider.expect(creates=len(views))
    await rig.provider.script({"on": "output", "delay": 1})
    async with customer.charged(len(views)):
        image = await customer.generate(*views)
        await eventually(lambda: rig.provider.count("output"))
        rig.postgres.kill()
        rig.postgres.start()
        await eventually(lambda: is_ready(customer.http))
        assert {view.status for view in (await customer.outcome(image)).views} == {"COMPLETED"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("reports", [True, False])
async def test_a_create_answered_while_postgres_is_away_is_not_repeated(
    rig: Rig, customer: Customer, reports: bool
) -> None:
    """The worker keeps the prediction's id in mind until it can be stored, for as long as its lease lasts."""
    rig.provider.expect(creates=1)
    rig.worker.kill()
    patient = rig.add_worker(GENERATION_LEASE_SECONDS="60")
    since = rig.log_sizes()
    await rig.provider.script(
        *([] if reports else [NO_WEBHOOKS]), signal_at("create", rig.postgres.pid, "SIGINT", delay=1)
    )
    async with customer.charged(1):
        image = await customer.generate()
        await eventually(lambda: "submit_not_noted" in {line["event"] for line in rig.logged(since, patient.name)})
        rig.postgres.start()
        await eventually(lambda: is_ready(customer.http))
        assert (await customer.outcome(image)).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_requests_that_find_every_connection_taken_are_told_to_come_back(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """While a lock keeps all writers there can be, five more find no connection: 503. The others are served later."""
    rig.provider.expect(creates=0)
    emails = [f"{rig.new_canary()}@example.org" for _ in range(SESSION_CONNECTIONS + 5)]
    async with database.transaction():
        await database.execute("LOCK TABLE registrations IN ACCESS EXCLUSIVE MODE")
        sign_ups = [asyncio.create_task(customer.register(email, rig.password)) for email in emails]
        await eventually(lambda: sum(sign_up.done() for sign_up in sign_ups) == 5)
    answers = await asyncio.gather(*sign_ups)
    assert Counter(answer.status_code for answer in answers) == {202: SESSION_CONNECTIONS, 503: 5}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)


@pytest.mark.exhaustive
async def test_half_a_minute_without_postgres_is_made_up_for(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """What the provider renders meanwhile is fetched afterwards, though it could report to nobody; no second create."""
    rig.provider.expect(creates=4)
    processes = rig.api.pid, rig.worker.pid
    await rig.provider.script({"on": "create", "times": None, "outcome": {"latency_seconds": 3}})
    async with customer.charged(4):
        images = [await customer.generate() for _ in range(4)]
        submitted = "SELECT bool_and(prediction_id IS NOT NULL) FROM views WHERE image_id = ANY($1)"
        await eventually(lambda: database.fetchval(submitted, images))
        rig.postgres.stop()
        await asyncio.sleep(30)
        assert (await customer.ask()).status_code == 503
        rig.postgres.start()
        await eventually(lambda: is_ready(customer.http))
        assert {(await customer.outcome(image)).status for image in images} == {"COMPLETED"}
    assert (rig.api.pid, rig.worker.pid) == processes


@pytest.mark.exhaustive
async def test_while_others_hold_every_connection_of_postgres_the_api_says_so_and_recovers(
    rig: Rig, customer: Customer
) -> None:
    """An API that has none of its own yet gets none: 503 with Retry-After, alive, and as ever when they are free."""
    rig.provider.expect(creates=1)
    rig.api.kill()
    rig.api.start()
    rig.wait_for_api()
    held: list[asyncpg.Connection] = []
    try:
        with contextlib.suppress(asyncpg.TooManyConnectionsError):
            while True:
                held.append(await asyncpg.connect(rig.postgres.url))
        refused = await customer.ask()
        assert refused.status_code == 503, refused.text
        assert refused.json()["code"] == "service_unavailable"
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await customer.http.get(f"{rig.url}/health/live")).status_code == 200
    finally:
        for connection in held:
            await connection.close()
    await eventually(lambda: is_ready(customer.http))
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


async def is_ready(client: httpx.AsyncClient) -> bool:
    """Whether the API behind this client calls itself ready."""
    return (await client.get(client.base_url.copy_with(path="/health/ready"))).status_code == 200
