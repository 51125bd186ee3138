"""Refunds and disputes: https://docs.dodopayments.com/features/transactions/refunds."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.sandbox.dodo import PRODUCT, cart, controlled, paid, read
from tests.unit.sandbox.talking import running, script


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with running(dodo_refund_seconds=0) as client:
        yield client


async def refund(client: httpx.AsyncClient, payment: dict[str, Any], **body: Any) -> httpx.Response:
    return await client.post("/dodo/refunds", json={"payment_id": payment["payment_id"], **body})


async def settled(client: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    """A refund, once it is no longer pending."""
    assert answer.status_code == 200, answer.text
    while True:
        found = await read(client, f"refunds/{answer.json()['refund_id']}")
        if found["status"] != "pending":
            return found
        await asyncio.sleep(0.01)


async def test_a_full_refund_is_pending_and_then_succeeds(client: httpx.AsyncClient) -> None:
    payment = await paid(client)
    answer = await refund(client, payment, reason="Regret", metadata={"ticket": "3"})
    asked = answer.json()
    assert (asked["status"], asked["amount"], asked["is_partial"], asked["reason"]) == (
        "pending",
        500,
        False,
        "Regret",
    )
    assert asked["metadata"] == {"ticket": "3"}
    assert (await settled(client, answer))["status"] == "succeeded"
    shown = await read(client, f"payments/{payment['payment_id']}")
    assert (shown["status"], shown["refund_status"]) == ("succeeded", "full")
    assert [each["refund_id"] for each in shown["refunds"]] == [asked["refund_id"]]


async def test_parts_are_refunded_until_nothing_is_left(client: httpx.AsyncClient) -> None:
    payment = await paid(client)
    items = [{"item_id": PRODUCT, "amount": 200}]
    first = await settled(client, await refund(client, payment, items=items))
    assert (first["amount"], first["is_partial"]) == (200, True)
    shown = await read(client, f"payments/{payment['payment_id']}")
    assert shown["refund_status"] == "partial"
    (line,) = (await read(client, f"payments/{payment['payment_id']}/line-items"))["items"]
    assert (line["items_id"], line["amount"], line["refundable_amount"]) == (PRODUCT, 500, 300)
    await settled(client, await refund(client, payment, items=items))
    rest = await settled(client, await refund(client, payment))
    assert (rest["amount"], rest["is_partial"]) == (100, True)
    assert (await read(client, f"payments/{payment['payment_id']}"))["refund_status"] == "full"
    again = await refund(client, payment)
    assert (again.status_code, again.json()["code"]) == (400, "PAYMENT_ALREADY_REFUNDED")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"items": []}, "NOTHING_TO_REFUND"),
        ({"items": [{"item_id": PRODUCT, "amount": 0}]}, "NOTHING_TO_REFUND"),
        ({"items": [{"item_id": PRODUCT, "amount": 501}]}, "LINE_ITEM_REFUND_AMOUNT_TOO_HIGH"),
        ({"items": [{"item_id": "pdt_other"}]}, "LINE_ITEM_NOT_FOUND"),
        ({"items": [{"item_id": PRODUCT}] * 2}, "DUPLICATE_LINE_ITEMS_IN_REQUEST"),
        ({"items": [{"item_id": PRODUCT, "amount": -1}]}, "INVALID_REQUEST_BODY"),
        ({"currency": "EUR"}, "UNSUPPORTED_CURRENCY"),
        ({"reason": "r" * 3001}, "INVALID_REQUEST_BODY"),
        ({"payment_id": "pay_unknown"}, "NOT_FOUND"),
        ({"metadata": {"a key": 1}}, "INVALID_REQUEST_BODY"),
    ],
)
async def test_a_refund_that_dodo_would_refuse(client: httpx.AsyncClient, body: dict[str, Any], code: str) -> None:
    payment = await paid(client)
    answer = await refund(client, payment, **body)
    assert answer.status_code in {400, 404, 422}
    assert answer.json()["code"] == code
    assert (await read(client, f"payments/{payment['payment_id']}"))["refunds"] == []


async def test_no_more_is_refunded_than_is_left(client: httpx.AsyncClient) -> None:
    payment = await paid(client)
    await controlled(client, "POST", f"payments/{payment['payment_id']}/refunds", amount=300)
    answer = await refund(client, payment, items=[{"item_id": PRODUCT, "amount": 201}])
    assert answer.json()["code"] == "REFUND_AMOUNT_EXCEEDS_PAID_AMOUNT"


@pytest.mark.parametrize("status", ["failed", "processing", "cancelled"])
async def test_only_what_was_paid_is_refunded(client: httpx.AsyncClient, status: str) -> None:
    answer = await refund(client, await paid(client, status=status))
    assert (answer.status_code, answer.json()["code"]) == (400, "PAYMENT_NOT_SUCCEEDED")


async def test_one_refund_at_a_time(client: httpx.AsyncClient) -> None:
    await controlled(client, "PATCH", "settings", refund_seconds=600)
    payment = await paid(client)
    assert (await refund(client, payment, items=[{"item_id": PRODUCT, "amount": 1}])).status_code == 200
    assert (await refund(client, payment)).json()["code"] == "EXISTING_REFUND_REQUEST_PROCESSING"


async def test_a_refund_that_fails_leaves_its_money_refundable(client: httpx.AsyncClient) -> None:
    payment = await paid(client)
    await script(client, {"on": "create_refund", "outcome": {"status": "failed"}}, service="dodo")
    assert (await settled(client, await refund(client, payment)))["status"] == "failed"
    assert (await read(client, f"payments/{payment['payment_id']}"))["refund_status"] is None
    assert (await settled(client, await refund(client, payment)))["amount"] == 500


async def test_a_part_without_its_tax_takes_the_tax_with_it(client: httpx.AsyncClient) -> None:
    await controlled(client, "PATCH", "settings", tax_percent=19)
    payment = await paid(client)
    items = [{"item_id": PRODUCT, "amount": 100, "tax_inclusive": False}]
    assert (await refund(client, payment, items=items)).json()["amount"] == 119


async def test_a_refund_at_the_dashboard_is_over_at_once_and_takes_from_product_after_product(
    client: httpx.AsyncClient,
) -> None:
    payment = await paid(client, product_cart=[*cart(2, "pdt_a"), *cart(3, "pdt_b")])
    made = await controlled(client, "POST", f"payments/{payment['payment_id']}/refunds", amount=250)
    assert (made["status"], made["amount"]) == ("succeeded", 250)
    lines = (await read(client, f"payments/{payment['payment_id']}/line-items"))["items"]
    assert [(line["items_id"], line["refundable_amount"]) for line in lines] == [("pdt_a", 0), ("pdt_b", 250)]


async def test_refunds_are_listed_newest_first_and_filtered(client: httpx.AsyncClient) -> None:
    first, second = await paid(client), await paid(client, customer={"email": "bob@example.com"})
    for payment, status in ((first, "succeeded"), (second, "review")):
        await controlled(client, "POST", f"payments/{payment['payment_id']}/refunds", status=status)
    listed = (await read(client, "refunds"))["items"]
    assert [each["payment_id"] for each in listed] == [second["payment_id"], first["payment_id"]]
    (found,) = (await read(client, "refunds?status=review"))["items"]
    assert found["payment_id"] == second["payment_id"]
    (found,) = (await read(client, f"refunds?customer_id={first['customer']['customer_id']}"))["items"]
    assert found["payment_id"] == first["payment_id"]


async def test_a_dispute_shows_in_itself_in_the_list_and_on_its_payment(client: httpx.AsyncClient) -> None:
    payment = await paid(client)
    dispute = await controlled(client, "POST", f"payments/{payment['payment_id']}/disputes", reason="Not me")
    shown = await read(client, f"disputes/{dispute['dispute_id']}")
    assert (shown["amount"], shown["currency"], shown["dispute_stage"], shown["dispute_status"]) == (
        "500",
        "USD",
        "dispute",
        "dispute_opened",
    )
    assert (shown["reason"], shown["customer"]["email"]) == ("Not me", "ada@example.com")
    (listed,) = (await read(client, "disputes?dispute_status=dispute_opened"))["items"]
    (carried,) = (await read(client, f"payments/{payment['payment_id']}"))["disputes"]
    assert listed["dispute_id"] == carried["dispute_id"] == dispute["dispute_id"]
    assert (await read(client, "disputes?dispute_stage=pre_dispute"))["items"] == []


@pytest.mark.parametrize("status", ["challenged", "won", "lost", "accepted", "cancelled", "expired"])
async def test_a_dispute_may_end_in_every_way(client: httpx.AsyncClient, status: str) -> None:
    payment = await paid(client)
    dispute = await controlled(client, "POST", f"payments/{payment['payment_id']}/disputes", amount=120)
    await controlled(client, "PUT", f"disputes/{dispute['dispute_id']}", status=status)
    shown = await read(client, f"disputes/{dispute['dispute_id']}")
    assert (shown["dispute_status"], shown["amount"]) == (f"dispute_{status}", "120")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("payments/{payment}", {"status": "gone"}),
        ("disputes/{dispute}", {"status": "forgotten"}),
        ("refunds/{refund}", {"status": "lost"}),
        ("payments/{payment}", {"state": "failed"}),
    ],
)
async def test_a_change_that_means_nothing_is_refused(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    payment = await paid(client)
    dispute = await controlled(client, "POST", f"payments/{payment['payment_id']}/disputes")
    made = await controlled(client, "POST", f"payments/{payment['payment_id']}/refunds", amount=1)
    path = path.format(payment=payment["payment_id"], dispute=dispute["dispute_id"], refund=made["refund_id"])
    assert (await client.put(f"/dodo/__control/{path}", json=body)).status_code == 400


async def test_a_refund_may_fail_after_it_has_succeeded(client: httpx.AsyncClient) -> None:
    payment = await paid(client)
    made = await controlled(client, "POST", f"payments/{payment['payment_id']}/refunds")
    await controlled(client, "PUT", f"refunds/{made['refund_id']}", status="failed")
    assert (await read(client, f"payments/{payment['payment_id']}"))["refund_status"] is None
