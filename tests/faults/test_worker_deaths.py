"""A worker that is killed: what it had begun is finished by another, and charged once."""

from pathlib import Path

import asyncpg
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.provider import NO_WEBHOOKS, signal_at
from tests.faults.rig import Rig


@pytest.mark.exhaustive
async def test_a_create_whose_worker_is_killed_is_not_repeated_when_the_provider_reports(
    rig: Rig, customer: Customer
) -> None:
    """The webhook names the view and the attempt, so the prediction is found though nobody stored its id."""
    rig.provider.expect(creates=1)
    await rig.provider.script(signal_at("create", rig.worker.pid))
    async with customer.charged(1):
        image = await customer.generate()
        rig.restart_worker()
        assert (await customer.outcome(image)).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_create_whose_worker_is_killed_is_repeated_once_when_the_provider_keeps_silent(
    rig: Rig, customer: Customer
) -> None:
    """Nobody can know the first one's id: one more is the least that finishes the job."""
    rig.provider.expect(creates=2)
    await rig.provider.script(NO_WEBHOOKS, signal_at("create", rig.worker.pid))
    async with customer.charged(1):
        image = await customer.generate()
        rig.restart_worker()
        assert (await customer.outcome(image)).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_worker_killed_after_the_prediction_is_stored_costs_no_second_create(
    rig: Rig, customer: Customer
) -> None:
    """Another worker looks at the prediction that the first one left."""
    rig.provider.expect(creates=1)
    slow = {"on": "create", "outcome": {"latency_seconds": 1}}
    await rig.provider.script(NO_WEBHOOKS, slow, signal_at("get", rig.worker.pid))
    async with customer.charged(1):
        image = await customer.generate()
        rig.restart_worker()
        assert (await customer.outcome(image)).status == "COMPLETED"


async def test_a_worker_killed_while_it_fetches_the_output_costs_no_second_create(rig: Rig, customer: Customer) -> None:
    """The prediction has ended and is stored: another worker fetches what it brought."""
    rig.provider.expect(creates=1)
    await rig.provider.script(signal_at("output", rig.worker.pid))
    async with customer.charged(1):
        image = await customer.generate()
        rig.restart_worker()
        assert (await customer.outcome(image)).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_worker_killed_between_storing_the_picture_and_charging_for_it_charges_once(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """The picture is in storage, the transaction that says so is not committed: another worker does both again."""
    rig.provider.expect(creates=1)
    async with customer.charged(1):
        async with database.transaction():
            await database.execute("LOCK TABLE ledger_entries IN SHARE MODE")
            before = set(pictures(rig))
            image = await customer.generate()
            await eventually(lambda: bool(set(pictures(rig)) - before))
            rig.worker.kill()
        rig.restart_worker()
        assert (await customer.outcome(image)).status == "COMPLETED"
    assert len(set(pictures(rig)) - before) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("seconds", [0, 0.005, 0.01, 0.02, 0.04, 0.08])
async def test_a_worker_killed_at_any_moment_after_it_has_the_output_charges_once(
    rig: Rig, customer: Customer, seconds: float
) -> None:
    """While it decodes, while it stores, while it commits: one create, one picture, one charge."""
    rig.provider.expect(creates=1)
    before = set(pictures(rig))
    kill = {"pid": rig.worker.pid, "signal": "SIGKILL", "at": "replied", "delay": seconds}
    await rig.provider.script({"on": "output", "signals": [kill]})
    async with customer.charged(1):
        image = await customer.generate()
        rig.restart_worker()
        finished = await customer.outcome(image)
        assert finished.status == "COMPLETED"
        assert len(await customer.download(finished)) == 1
    assert len(set(pictures(rig)) - before) == 1


@pytest.mark.exhaustive
async def test_a_hairstyle_that_leaves_the_catalogue_is_still_rendered_for_who_had_asked(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """Deactivated between accepting and rendering: what was accepted keeps its prompt."""
    rig.provider.expect(creates=2)
    rig.worker.kill()
    async with customer.charged(2):
        image = await customer.generate("front", "left")
        await database.execute("UPDATE styles SET is_active = false WHERE id = $1", customer.style_id)
        try:
            assert (await customer.ask()).status_code == 404
            rig.worker.start()
            assert {view.status for view in (await customer.outcome(image)).views} == {"COMPLETED"}
        finally:
            await database.execute("UPDATE styles SET is_active = true WHERE id = $1", customer.style_id)


@pytest.mark.exhaustive
async def test_a_worker_killed_after_its_last_commit_leaves_a_job_that_does_nothing(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """The outbox row outlives the work it announced; whoever takes it up again finds the work done."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "output", "delay": 2})
    async with customer.charged(1):
        image = await customer.generate()
        async with database.transaction():
            row = "SELECT id FROM outbox WHERE job = 'finish_view' AND deliveries > 0 FOR UPDATE"
            await eventually(lambda: database.fetchval(row))
            assert (await customer.outcome(image)).status == "COMPLETED"
            rig.worker.kill()
        rig.restart_worker()
        assert await database.fetchval("SELECT count(*) FROM outbox WHERE job = 'finish_view'") == 1
        await database.execute("UPDATE outbox SET due_at = now()")
        await eventually(lambda: database.fetchval("SELECT NOT EXISTS (SELECT FROM outbox)"))
    assert await rig.provider.count("output") == 1


@pytest.mark.exhaustive
async def test_a_create_that_kills_its_worker_every_time_is_given_up_and_harms_no_other_job(
    rig: Rig, customer: Customer
) -> None:
    """Three attempts, three workers, then FAILED and the credit back; the next try-on goes through."""
    rig.provider.expect(creates=4)
    await rig.provider.script(NO_WEBHOOKS, signal_at("create", rig.worker.pid))
    async with customer.charged(0):
        image = await customer.generate()
        for _ in range(2):
            rig.restart_worker()
            await rig.provider.script(signal_at("create", rig.worker.pid))
        rig.restart_worker()
        failed = await customer.outcome(image)
        assert (failed.status, failed.errors) == ("FAILED", {"internal_error"})
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_an_output_that_kills_its_worker_every_time_is_given_up_and_harms_no_other_job(
    rig: Rig, customer: Customer
) -> None:
    """As if a picture crashed the decoder: after three workers FAILED, long before its deadline."""
    rig.provider.expect(creates=2)
    async with customer.charged(0):
        await rig.provider.script(signal_at("output", rig.worker.pid))
        image = await customer.generate()
        for _ in range(2):
            rig.restart_worker()
            await rig.provider.script(signal_at("output", rig.worker.pid))
        rig.restart_worker()
        failed = await customer.outcome(image)
        assert (failed.status, failed.errors) == ("FAILED", {"internal_error"})
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_worker_killed_amid_four_views_leaves_none_behind(rig: Rig, customer: Customer) -> None:
    """The front is there, the sides are under way: the next worker brings them to their end."""
    rig.provider.expect(creates=4)
    await rig.provider.script(signal_at("output", rig.worker.pid, contains="View: left"))
    async with customer.charged(4):
        image = await customer.generate("front", "right", "left", "back")
        rig.restart_worker()
        assert {view.status for view in (await customer.outcome(image)).views} == {"COMPLETED"}


def pictures(rig: Rig) -> list[Path]:
    """Stored outputs."""
    return list(rig.media.glob("images/*/*.jpg"))
