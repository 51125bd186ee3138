"""Machines disagree about the time: what several of them must agree on is the database's time."""

import pytest

from tests.faults.customer import Customer
from tests.faults.provider import NO_WEBHOOKS
from tests.faults.rig import LEASE_SECONDS, Rig

TEN_MINUTES = 600


@pytest.mark.exhaustive
@pytest.mark.parametrize("off_by", [TEN_MINUTES, -TEN_MINUTES])
async def test_a_worker_whose_clock_is_ten_minutes_off_renders_as_any_other(
    rig: Rig, customer: Customer, off_by: int
) -> None:
    """Deadlines, leases and waits are not its own clock's business; an attempt that fails is repeated in time."""
    rig.provider.expect(creates=3)
    rig.worker.kill()
    rig.add_worker(clock_off_by=off_by)
    await rig.provider.script({"on": "create", "reply": {"status": 500}})
    async with customer.charged(2):
        image = await customer.outcome(await customer.generate("front", "back"))
        assert {view.status for view in image.views} == {"COMPLETED"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("off_by", [TEN_MINUTES, -TEN_MINUTES])
async def test_a_worker_whose_clock_is_off_takes_nothing_away_from_another(
    rig: Rig, customer: Customer, off_by: int
) -> None:
    """What the one has under its lease is not overdue to the other: every view is created once."""
    views = 6
    rig.provider.expect(creates=views)
    rig.add_worker(clock_off_by=off_by)
    await rig.provider.script(NO_WEBHOOKS, {"on": "create", "times": None, "delay": 2 * LEASE_SECONDS})
    async with customer.charged(views):
        images = [await customer.generate() for _ in range(views)]
        assert {(await customer.outcome(image)).status for image in images} == {"COMPLETED"}
