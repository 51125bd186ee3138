"""The gate before the provider: while it is down, or wants money, nobody's attempts are burnt on it."""

from collections import Counter

import asyncpg
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.rig import Rig

ATTEMPTS = 3
VIEWS = 30


@pytest.mark.exhaustive
async def test_an_outage_is_probed_now_and_then_and_outlived_by_what_waits(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """Thirty views, two workers: instead of ninety creates a few more than thirty; all are rendered when it is back."""
    since = rig.log_sizes()
    rig.add_worker()
    await rig.provider.script({"on": "create", "times": None, "reply": {"status": 503}})
    async with customer.charged(VIEWS):
        images = [await customer.generate() for _ in range(VIEWS)]
        closed = "SELECT closed_until IS NOT NULL FROM model_gates"
        await eventually(lambda: database.fetchval(closed))
        # Whatever was under way has been answered: from here on, what comes is a probe.
        await eventually(lambda: database.fetchval("SELECT bool_and(lease_until IS NULL) FROM views"))
        before = await rig.provider.count("create")
        await eventually(lambda: at_least(rig, before + 2))
        probes = await rig.provider.count("create") - before
        assert probes <= 3
        await rig.provider.unscript()
        for image in images:
            assert (await customer.outcome(image)).status == "COMPLETED"
    answers = Counter(call.status for call in await rig.provider.calls("create"))
    assert answers[503] < VIEWS * ATTEMPTS / 2 + 5
    rig.provider.expect(creates=answers[503] + VIEWS)
    assert await database.fetchval("SELECT max(attempt) FROM views WHERE image_id = ANY($1)", images) <= ATTEMPTS
    heard = Counter(line["event"] for line in rig.logged(since, "worker", "worker2"))
    assert (heard["image_model_gate_closed"], heard["image_model_gate_opened"]) == (1, 1)


async def test_a_provider_that_wants_money_is_not_asked_until_it_may_have_got_some(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """An operator is alerted once, every view waits with all its attempts, and goes on a minute later."""
    rig.expect_alerts("provider_credit_exhausted")
    rig.add_worker()
    await rig.provider.script({"on": "create", "times": None, "reply": {"status": 402}})
    async with customer.charged(4):
        images = [await customer.generate() for _ in range(4)]
        waits = "bool_and(error = 'provider_unavailable' AND lease_until IS NULL AND attempt = 0)"
        mine = "FROM views WHERE image_id = ANY($1)"
        await eventually(lambda: database.fetchval(f"SELECT {waits} {mine}", images))
        refused = await rig.provider.count("create")
        assert refused <= 4
        assert await database.fetchval("SELECT reason FROM model_gates") == "provider_credit_exhausted"
        await rig.provider.unscript()
        await database.execute("UPDATE model_gates SET closed_until = now(), next_return_at = NULL")
        await database.execute("UPDATE views SET due_at = now() WHERE image_id = ANY($1)", images)
        await database.execute("UPDATE outbox SET due_at = now()")
        for image in images:
            assert (await customer.outcome(image)).status == "COMPLETED"
    rig.provider.expect(creates=refused + 4)
    assert await database.fetchval(f"SELECT bool_and(attempt = 1) {mine}", images)


@pytest.mark.exhaustive
async def test_what_is_accepted_during_an_outage_fails_by_its_deadline(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """Accepted as ever; FAILED provider_unavailable without a single create, and the credit is back."""
    rig.provider.expect(creates=0)
    await database.execute("""
        INSERT INTO model_gates (model, closed_until) VALUES ('bytedance/seedream-4', now() + interval '1 hour')
        ON CONFLICT (model) DO UPDATE SET closed_until = excluded.closed_until
    """)
    async with customer.charged(0):
        image = await customer.generate()
        turned_away = "SELECT error = 'provider_unavailable' FROM views WHERE image_id = $1"
        await eventually(lambda: database.fetchval(turned_away, image))
        assert (await customer.look(image)).status == "PENDING"
        await database.execute("UPDATE views SET deadline_at = now() WHERE image_id = $1", image)
        failed = await customer.outcome(image)
        assert (failed.status, failed.errors) == ("FAILED", {"provider_unavailable"})


async def at_least(rig: Rig, creates: int) -> bool:
    return await rig.provider.count("create") >= creates
