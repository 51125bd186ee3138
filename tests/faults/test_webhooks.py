"""The provider's own news: lost, doubled, too early or forged, they change nothing about the outcome."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.provider import NO_WEBHOOKS
from tests.faults.rig import Rig


@pytest.mark.exhaustive
async def test_without_any_webhook_the_poller_finishes(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """The product looks for itself."""
    rig.provider.expect(creates=4)
    await rig.provider.script(NO_WEBHOOKS)
    async with customer.charged(4):
        image = await customer.outcome(await customer.generate("front", "right", "left", "back"))
        assert {view.status for view in image.views} == {"COMPLETED"}
    ours = {row["id"] for row in await database.fetch("SELECT id FROM views WHERE image_id = $1", image.id)}
    # One that an earlier test had missed may be repeated now.
    reported = [f"{call.path}?{call.query}" for call in await rig.provider.calls("webhook")]
    assert not [address for address in reported for view in ours if f"view_id={view}&" in address]


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", ["twice", "before_reply"])
async def test_a_webhook_that_comes_twice_or_too_early_counts_once(rig: Rig, customer: Customer, mode: str) -> None:
    """One picture, one charge, and every copy is taken."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "webhook", "webhook": {"mode": mode}})
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"
    copies = 2 if mode == "twice" else 1
    await eventually(lambda: has_taken(rig, copies))
    assert await rig.provider.count("output") == 1


@pytest.mark.exhaustive
async def test_a_create_whose_answer_is_lost_is_not_repeated_when_the_webhook_was_first(
    rig: Rig, customer: Customer
) -> None:
    """What the provider reported stands; that its answer never came changes nothing."""
    rig.provider.expect(creates=1)
    await rig.provider.script(
        {"on": "webhook", "webhook": {"mode": "before_reply"}}, {"on": "create", "processed": True, "reset": True}
    )
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_forged_webhook_is_refused_and_ends_nothing(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """Neither the provider's look-alike nor a visitor can say that a prediction has succeeded."""
    rig.provider.expect(creates=1)
    await rig.provider.script(
        {"on": "webhook", "webhook": {"mode": "forged"}}, {"on": "create", "outcome": {"latency_seconds": 1}}
    )
    async with customer.charged(1):
        image = await customer.generate()
        submitted = "SELECT id, prediction_id FROM views WHERE image_id = $1 AND prediction_id IS NOT NULL"
        await eventually(lambda: database.fetchrow(submitted, image))
        view = await database.fetchrow(submitted, image)
        told = {"id": view["prediction_id"], "status": "succeeded", "output": ["https://replicate.delivery/x.jpg"]}
        assert (await tell(customer, view["id"], told)).status_code == 401
        assert (await customer.outcome(image)).status == "COMPLETED"
    await eventually(lambda: rig.provider.count("webhook"))
    assert {call.status for call in await rig.provider.calls("webhook")} <= {401, None}
    assert await rig.provider.count("output") == 1


async def tell(customer: Customer, view_id: int, prediction: dict[str, Any]) -> httpx.Response:
    """Send a webhook as somebody who has no key."""
    signed = {"webhook-id": "msg_1", "webhook-timestamp": "1900000000", "webhook-signature": "v1,bm8="}
    of_view = {"view_id": view_id, "attempt": 1}
    return await customer.http.post("/image/webhook", params=of_view, json=prediction, headers=signed)


async def has_taken(rig: Rig, times: int) -> bool:
    """Whether the API has taken so many webhooks, and refused none."""
    statuses = [call.status for call in await rig.provider.calls("webhook")]
    return statuses == [204] * times
