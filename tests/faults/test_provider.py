"""A provider that refuses, breaks off, keeps silent or fails: tried again if that may help, else the credit is back."""

from typing import Any

import asyncpg
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.provider import NO_WEBHOOKS
from tests.faults.rig import Rig

ATTEMPTS = 3
FILTERED = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"

PASSING: dict[str, dict[str, Any]] = {
    "500": {"reply": {"status": 500}},
    "502": {"reply": {"status": 502}},
    "reset": {"reset": True},
    "silence": {"hang": 1},
    "429 with a short Retry-After": {"reply": {"status": 429, "headers": {"Retry-After": "1"}}},
    "429 with an impossible Retry-After": {"reply": {"status": 429, "headers": {"Retry-After": "-7"}, "text": ""}},
    "429 without a Retry-After": {"reply": {"status": 429, "text": ""}},
    "no JSON": {"reply": {"status": 201, "text": "<html>"}},
    "JSON that is no prediction": {"reply": {"status": 201, "json": {"id": 7}}},
    "half an answer": {"truncate": 20},
}
"""What one create may meet with, and the next one not."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", PASSING)
async def test_a_create_that_fails_once_is_tried_again(rig: Rig, customer: Customer, fault: str) -> None:
    """The second attempt brings the picture, for one credit."""
    rig.provider.expect(creates=2)
    await rig.provider.script(NO_WEBHOOKS, {"on": "create", **PASSING[fault]})
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("500", "provider_unavailable"),
        ("reset", "provider_unavailable"),
        ("silence", "provider_unavailable"),
        ("no JSON", "provider_unavailable"),
        ("429 with a short Retry-After", "provider_busy"),
    ],
)
async def test_a_create_that_fails_every_time_is_given_up_after_three_attempts(
    rig: Rig, customer: Customer, fault: str, error: str
) -> None:
    """FAILED with the last cause, and the credit is back."""
    rig.provider.expect(creates=ATTEMPTS)
    await rig.provider.script({"on": "create", "times": None, **PASSING[fault]})
    async with customer.charged(0):
        failed = await customer.outcome(await customer.generate())
        assert (failed.status, failed.errors) == ("FAILED", {error})


async def test_a_provider_that_is_down_costs_nothing(rig: Rig, customer: Customer) -> None:
    """Accepted as ever, tried three times, FAILED, and the credit is back."""
    rig.provider.expect(creates=ATTEMPTS)
    await rig.provider.script({"on": "create", "times": None, **PASSING["502"]})
    async with customer.charged(0):
        failed = await customer.outcome(await customer.generate())
        assert (failed.status, failed.errors) == ("FAILED", {"provider_unavailable"})


@pytest.mark.exhaustive
@pytest.mark.parametrize("seconds", ["3600", "99999999999999999999"])
async def test_a_retry_after_beyond_the_deadline_ends_with_it(
    rig: Rig, customer: Customer, database: asyncpg.Connection, seconds: str
) -> None:
    """There is no second attempt before the time that the provider named; the deadline comes first."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "reply": {"status": 429, "headers": {"Retry-After": seconds}}})
    async with customer.charged(0):
        image = await customer.generate()
        waits = "SELECT error = 'provider_busy' AND lease_until IS NULL FROM views WHERE image_id = $1"
        await eventually(lambda: database.fetchval(waits, image))
        await database.execute("UPDATE views SET deadline_at = now() WHERE image_id = $1", image)
        failed = await customer.outcome(image)
        assert (failed.status, failed.errors) == ("FAILED", {"provider_busy"})


@pytest.mark.exhaustive
async def test_a_request_that_the_provider_refuses_is_not_repeated(rig: Rig, customer: Customer) -> None:
    """It would refuse the same request again."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "reply": {"status": 422}})
    async with customer.charged(0):
        failed = await customer.outcome(await customer.generate())
        assert (failed.status, failed.errors) == ("FAILED", {"provider_unavailable"})


@pytest.mark.exhaustive
@pytest.mark.parametrize("status", ["failed", "canceled", "aborted"])
@pytest.mark.parametrize("reports", [True, False])
async def test_a_prediction_that_ends_without_a_picture_is_made_anew(
    rig: Rig, customer: Customer, status: str, reports: bool
) -> None:
    """Whether the provider reports its end or has to be asked."""
    rig.provider.expect(creates=2)
    await rig.provider.script(
        *([] if reports else [NO_WEBHOOKS]), {"on": "create", "outcome": {"status": status, "latency_seconds": 0.2}}
    )
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
@pytest.mark.parametrize("reports", [True, False])
async def test_a_failure_worded_as_no_database_takes_it_is_a_failure_like_others(
    rig: Rig, customer: Customer, reports: bool
) -> None:
    """Text from outside may hold NUL, which PostgreSQL stores in no text and no JSON."""
    rig.provider.expect(creates=2)
    await rig.provider.script(
        *([] if reports else [NO_WEBHOOKS]),
        {"on": "create", "outcome": {"status": "failed", "error": "out of\0memory"}},
    )
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_predictions_that_fail_every_time_are_given_up_after_three_attempts(rig: Rig, customer: Customer) -> None:
    """FAILED, and the credit is back."""
    rig.provider.expect(creates=ATTEMPTS)
    await rig.provider.script({"on": "create", "times": None, "outcome": {"status": "failed"}})
    async with customer.charged(0):
        failed = await customer.outcome(await customer.generate())
        assert (failed.status, failed.errors) == ("FAILED", {"provider_unavailable"})


async def test_what_the_content_filter_refuses_is_not_tried_again(rig: Rig, customer: Customer) -> None:
    """FAILED provider_rejected after one create, and the credit is back."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "outcome": {"status": "failed", "error": FILTERED}})
    async with customer.charged(0):
        failed = await customer.outcome(await customer.generate())
        assert (failed.status, failed.errors) == ("FAILED", {"provider_rejected"})


@pytest.mark.parametrize(
    "status",
    [
        "processing",
        pytest.param("starting", marks=pytest.mark.exhaustive),
        pytest.param("pondering", marks=pytest.mark.exhaustive),
    ],
)
async def test_a_prediction_that_never_ends_is_cancelled_when_its_time_is_up(
    rig: Rig, customer: Customer, database: asyncpg.Connection, status: str
) -> None:
    """FAILED provider_timeout, the provider is told that nobody waits any more, and the credit is back."""
    rig.provider.expect(creates=1, cancels=1)
    await rig.provider.script({"on": "create", "outcome": {"status": status}})
    async with customer.charged(0):
        image = await customer.generate()
        # Two looks, so that more was seen than the create's own answer.
        await eventually(lambda: at_least(rig, "get", 2))
        await database.execute("UPDATE views SET expires_at = now() WHERE image_id = $1", image)
        failed = await customer.outcome(image)
        assert (failed.status, failed.errors) == ("FAILED", {"provider_timeout"})
        await eventually(lambda: rig.provider.count("cancel"))


@pytest.mark.exhaustive
async def test_a_cancel_that_fails_is_tried_again(rig: Rig, customer: Customer, database: asyncpg.Connection) -> None:
    """A provider that is down when it is told to stop is told again."""
    rig.provider.expect(creates=1, cancels=2)
    await rig.provider.script(
        {"on": "create", "outcome": {"status": "processing"}}, {"on": "cancel", "reply": {"status": 503}}
    )
    async with customer.charged(0):
        image = await customer.generate()
        await eventually(lambda: rig.provider.count("get"))
        await database.execute("UPDATE views SET expires_at = now() WHERE image_id = $1", image)
        assert (await customer.outcome(image)).errors == {"provider_timeout"}
        await eventually(lambda: rig.provider.count("cancel"))
        await database.execute("UPDATE outbox SET due_at = now()")
        await eventually(lambda: at_least(rig, "cancel", 2))


@pytest.mark.exhaustive
async def test_a_provider_that_cannot_be_asked_loses_no_picture(rig: Rig, customer: Customer) -> None:
    """Looks that fail are repeated: the prediction was made, and is not made again."""
    rig.provider.expect(creates=1)
    broken: list[dict[str, Any]] = [
        {"reply": {"status": 500}},
        {"reset": True},
        {"reply": {"text": "?"}},
        {"reply": {"status": 429}},
    ]
    await rig.provider.script(NO_WEBHOOKS, *({"on": "get", **fault} for fault in broken))
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_prediction_that_the_provider_has_lost_is_made_anew(rig: Rig, customer: Customer) -> None:
    """It answers 404 for a prediction that it had created."""
    rig.provider.expect(creates=2)
    await rig.provider.script(NO_WEBHOOKS, {"on": "get", "reply": {"status": 404}})
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_view_that_fails_leaves_the_others_alone(rig: Rig, customer: Customer) -> None:
    """The third of four is refused by the filter: the other three are there and paid, its own credit is back."""
    rig.provider.expect(creates=4)
    refused = {"on": "create", "contains": "View: left", "outcome": {"status": "failed", "error": FILTERED}}
    await rig.provider.script(refused)
    async with customer.charged(3):
        image = await customer.outcome(await customer.generate("front", "right", "left", "back"))
        assert image.status == "COMPLETED"
        assert {view.view: view.error for view in image.views if view.status == "FAILED"} == {
            "left": "provider_rejected"
        }
        assert len(await customer.download(image)) == 3


@pytest.mark.exhaustive
async def test_side_views_fail_with_their_front(rig: Rig, customer: Customer) -> None:
    """Nothing is made of a front that is not there, and every credit is back."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "outcome": {"status": "failed", "error": FILTERED}})
    async with customer.charged(0):
        image = await customer.outcome(await customer.generate("front", "right", "left", "back"))
        assert image.status == "FAILED"
        assert [view.error for view in image.views] == ["provider_rejected", *["front_failed"] * 3]


async def at_least(rig: Rig, operation: str, times: int) -> bool:
    return await rig.provider.count(operation) >= times
