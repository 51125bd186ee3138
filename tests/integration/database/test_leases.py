import asyncio
from datetime import datetime, timedelta

import pytest

from domain.images import GeneratedImage
from domain.views import RenderPolicy
from infrastructure.database.leases import RenewedLeases
from tests.integration.database.stage import Stage

LEASE = timedelta(seconds=0.15)


@pytest.fixture
def leases(stage: Stage) -> RenewedLeases:
    stage.policy = RenderPolicy(lease=LEASE)
    return RenewedLeases(stage.write_pool, stage.policy)


async def claimed(stage: Stage) -> tuple[GeneratedImage, int]:
    image = await stage.image(await stage.user())
    async with stage.desk() as desk:
        found = await desk.images.claim(image.front.id)
        assert found is not None
        claim = found[0].claim_submit(found[1], await desk.uow.now(), stage.policy)
        await desk.uow.commit()
    return image, claim


async def lease_of(stage: Stage, image: GeneratedImage) -> datetime | None:
    ends: datetime | None = await stage.database.fetchval("SELECT lease_until FROM views WHERE id = $1", image.front.id)
    return ends


async def renewed(stage: Stage, image: GeneratedImage, since: datetime | None) -> None:
    """Wait for a renewal."""
    async with asyncio.timeout(30):
        while await lease_of(stage, image) == since:  # noqa: ASYNC110 - another connection writes it
            await asyncio.sleep(0.01)


async def test_a_worker_keeps_its_view_for_as_long_as_it_works(stage: Stage, leases: RenewedLeases) -> None:
    """Its lease is renewed again and again."""
    image, claim = await claimed(stage)
    async with leases.held(image.front.id, claim):
        for _ in range(3):
            await renewed(stage, image, await lease_of(stage, image))
    last = await lease_of(stage, image)
    await asyncio.sleep(LEASE.total_seconds())
    assert await lease_of(stage, image) == last


@pytest.mark.parametrize("change", ["claim = claim + 1", "lease_until = NULL"])
async def test_what_was_taken_over_or_let_go_is_not_taken_back(
    stage: Stage, leases: RenewedLeases, change: str
) -> None:
    image, claim = await claimed(stage)
    async with leases.held(image.front.id, claim):
        await stage.database.execute(f"UPDATE views SET {change}")  # noqa: S608 - the tests above
        others = await lease_of(stage, image)
        await asyncio.sleep(2 * LEASE.total_seconds())
        assert await lease_of(stage, image) == others


async def test_what_happens_to_the_work_is_the_workers_business(stage: Stage, leases: RenewedLeases) -> None:
    """Its failure comes through, and ends the renewing."""
    image, claim = await claimed(stage)
    with pytest.raises(RuntimeError, match="mine"):
        async with leases.held(image.front.id, claim):
            raise RuntimeError("mine")
    last = await lease_of(stage, image)
    await asyncio.sleep(LEASE.total_seconds())
    assert await lease_of(stage, image) == last


async def test_a_renewal_that_fails_is_followed_by_the_next(stage: Stage, leases: RenewedLeases) -> None:
    """The connection broke; the work goes on, and so does the lease."""
    image, claim = await claimed(stage)
    async with leases.held(image.front.id, claim):
        since = await lease_of(stage, image)
        await stage.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await renewed(stage, image, since)
