"""What is counted of a transaction: what it committed, once."""

from prometheus_client import CollectorRegistry

from domain.credits import Cause
from tests.integration.database.stage import Stage


def credits_moved(registry: CollectorRegistry, cause: str) -> float:
    return registry.get_sample_value("hairtryon_credits_total", {"cause": cause}) or 0


async def test_what_is_rolled_back_is_not_counted(stage: Stage) -> None:
    """Nor what was never committed; what comes after it is."""
    user = await stage.user()
    async with stage.desk() as desk:
        await desk.accounts.record(user.id, 5, Cause.GRANT, natural_key="dropped")
        await desk.uow.rollback()
        await desk.accounts.record(user.id, 3, Cause.GRANT, natural_key="kept")
        await desk.uow.commit()
        await desk.uow.commit()
    async with stage.desk() as desk:
        await desk.accounts.record(user.id, 7, Cause.GRANT, natural_key="forgotten")
    assert credits_moved(stage.registry, "grant") == 3


async def test_what_is_entered_twice_is_counted_once(stage: Stage) -> None:
    """As in the ledger; what was taken counts as a positive number."""
    user = await stage.user()
    for _ in range(2):
        async with stage.desk() as desk:
            await desk.accounts.record(user.id, 5, Cause.PURCHASE, natural_key="purchase:1")
            await desk.accounts.record(user.id, -2, Cause.REFUND, natural_key="clawback:1")
            await desk.uow.commit()
    assert (credits_moved(stage.registry, "purchase"), credits_moved(stage.registry, "refund")) == (5, 2)


async def test_a_hold_that_is_resolved_twice_is_counted_once(stage: Stage) -> None:
    user = await stage.user(credits_=2)
    image = await stage.image(user, held=True)
    for _ in range(2):
        async with stage.desk() as desk:
            await desk.holds.void(image.front)
            await desk.holds.post(image.front)
            await desk.uow.commit()
    assert (credits_moved(stage.registry, "held"), credits_moved(stage.registry, "returned")) == (1, 1)
    assert credits_moved(stage.registry, "spend") == 0


async def test_where_work_comes_from_may_be_spoilt_or_missing(stage: Stage) -> None:
    """An outbox row is taken and a view claimed all the same: no work waits for want of it."""
    user = await stage.user(credits_=1)
    image = await stage.image(user, held=True)
    for origin in ("[]", '{"request_id": 5}', '"words"', "null"):
        await stage.database.execute("UPDATE views SET origin = $1::text::jsonb", origin)
        async with stage.desk() as desk:
            assert await desk.images.claim(image.front.id) is not None
