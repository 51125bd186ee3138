"""What admins do about money over HTTP: as operators at a terminal, and under the name of their account."""

from typing import Any

import httpx
import pytest

from domain.users import Role
from tests.integration.http.shop import balance, buy, order, told
from tests.integration.http.stories import Customer, Service
from tests.selling import payment_event

WHY = {"reason": "asked for it"}


@pytest.fixture
async def grace(service: Service) -> Customer:
    return await service.customer(role=Role.ADMIN, credits=0, name="Grace")


async def done(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_purchases_are_found_and_shown_with_all_that_was_told(service: Service, grace: Customer) -> None:
    ada, bob = await service.customer(credits=0), await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 10)
    await order(bob, 5)
    listed = await grace.get("/admin/payments", status="SUCCEEDED", user_id=ada.id)
    assert [(item["id"], item["email"], item["payment_id"]) for item in listed["items"]] == [
        (bought, ada.email, payment_id)
    ]
    assert len((await grace.get("/admin/payments"))["items"]) == 2
    story = await grace.get(f"/admin/payments/{bought}")
    assert (story["granted"], story["taken"], [event["type"] for event in story["events"]]) == (
        10,
        0,
        ["payment.succeeded"],
    )


async def test_a_quarantined_payment_is_looked_at_and_released_once(service: Service, grace: Customer) -> None:
    service.expected_alerts = ["payment_quarantined"]
    ada = await service.customer(credits=0)
    payment_id = service.seller.pay((await order(ada, 10))["session_id"], total=999)
    await told(service, payment_event(service.seller.payments[payment_id].payment))
    (waiting,) = (await grace.get("/admin/payments/events"))["items"]
    shown = await grace.get(f"/admin/payments/events/{waiting['id']}")
    assert (shown["reason"], '"total_amount": 999' in shown["body"]) == ("amount_too_low", True)
    release = f"/admin/payments/events/{waiting['id']}/release"
    assert (await done(await grace.api.post(release, json=WHY)))["credits"] == 10
    assert (await grace.api.post(release, json=WHY)).status_code == 409
    assert await balance(ada) == (10, 0, 10)
    (entry,) = (await grace.get("/admin/audit", action="payment.release"))["items"]
    assert (entry["operator"], entry["reason"]) == (f"user:{grace.id}", "asked for it")


async def test_a_refund_with_a_key_is_asked_for_once(service: Service, grace: Customer) -> None:
    """The same answer again; with another amount the key is refused."""
    ada = await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 10)
    asked = [
        await done(
            await grace.api.post(
                f"/admin/payments/{bought}/refund", json=WHY | {"amount": 250}, headers={"Idempotency-Key": "once"}
            ),
            201,
        )
        for _ in range(3)
    ]
    assert asked[0] == asked[1] == asked[2]
    assert service.seller.refunds_asked == [(payment_id, 250, "asked for it")]
    other = await grace.api.post(
        f"/admin/payments/{bought}/refund", json=WHY | {"amount": 300}, headers={"Idempotency-Key": "once"}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    service.seller.complete_refunds(payment_id)
    reconciled = await done(await grace.api.post(f"/admin/payments/{bought}/reconcile"))
    assert [(one["before"], one["after"]) for one in reconciled["changed"]] == [("SUCCEEDED", "PARTIALLY_REFUNDED")]
    assert await balance(ada) == (7, 0, 7)


async def test_an_event_replayed_counts_once(service: Service, grace: Customer) -> None:
    ada = await service.customer(credits=0)
    await buy(service, ada, 10)
    (event,) = (await grace.get("/admin/payments/events", quarantined="false"))["items"]
    replayed = await done(await grace.api.post(f"/admin/payments/events/{event['id']}/replay"))
    assert replayed["verdict"] == "applied"
    assert await balance(ada) == (10, 0, 10)


@pytest.mark.parametrize("number", [999, 0, 2**63, 10**30])
async def test_what_is_not_there_is_404_whatever_its_number(grace: Customer, number: int) -> None:
    paths = [("GET", f"/admin/payments/{number}"), ("GET", f"/admin/payments/events/{number}")]
    paths += [("POST", f"/admin/payments/{number}/{what}") for what in ("refund", "reconcile")]
    paths += [("POST", f"/admin/payments/events/{number}/{what}") for what in ("release", "replay")]
    for method, path in paths:
        takes_reason = path.endswith(("refund", "release"))
        answer = await grace.api.request(method, path, json=WHY if takes_reason else None)
        assert answer.status_code == 404, (path, answer.text)
