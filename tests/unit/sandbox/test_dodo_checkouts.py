"""Checkout sessions and payments: https://docs.dodopayments.com/developer-resources/checkout-session."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.dodo.records import KEPT, Records
from tests.unit.sandbox.dodo import CONTROL, PRODUCT, cart, checkout, controlled, opened, paid, read
from tests.unit.sandbox.talking import running, script


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with running(dodo_product_id=PRODUCT) as client:
        yield client


async def test_a_session_is_opened_and_waits_for_its_payment(client: httpx.AsyncClient) -> None:
    session = await opened(client)
    assert session["session_id"].startswith("cks_")
    assert session["checkout_url"] == f"http://sandbox.test/dodo/session/{session['session_id']}"
    shown = await read(client, f"checkouts/{session['session_id']}")
    assert (shown["id"], shown["customer_email"]) == (session["session_id"], "ada@example.com")
    assert (shown["payment_id"], shown["payment_status"]) == (None, None)


async def test_a_payment_tells_what_was_bought_by_whom_for_how_much(client: httpx.AsyncClient) -> None:
    session = await opened(client, product_cart=cart(7))
    payment = await controlled(client, "POST", f"sessions/{session['session_id']}/pay")
    assert await read(client, f"payments/{payment['payment_id']}") == payment
    assert (payment["status"], payment["total_amount"], payment["currency"], payment["tax"]) == (
        "succeeded",
        700,
        "USD",
        None,
    )
    assert payment["product_cart"] == [{"product_id": PRODUCT, "quantity": 7}]
    assert payment["metadata"] == {"order_id": "7"}
    assert payment["checkout_session_id"] == session["session_id"]
    assert payment["customer"]["email"] == "ada@example.com"
    shown = await read(client, f"checkouts/{session['session_id']}")
    assert (shown["payment_id"], shown["payment_status"]) == (payment["payment_id"], "succeeded")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"product_cart": []}, 400, "PRODUCT_CART_EMTPY"),
        ({"product_cart": None}, 422, "INVALID_REQUEST_BODY"),
        ({"product_cart": cart() * 21}, 422, "INVALID_REQUEST_BODY"),
        ({"product_cart": cart(0)}, 422, "INVALID_REQUEST_BODY"),
        ({"product_cart": cart(1, "pdt_other")}, 404, "NOT_FOUND"),
        ({"customer": {"name": "Nobody"}}, 422, "INVALID_REQUEST_BODY"),
        ({"customer": {"email": "nowhere"}}, 422, "INVALID_REQUEST_BODY"),
        ({"customer": {"customer_id": "cus_unknown"}}, 404, "NOT_FOUND"),
        ({"billing_currency": "dollars"}, 422, "INVALID_REQUEST_BODY"),
        ({"billing_address": {"city": "Rome"}}, 422, "INVALID_REQUEST_BODY"),
        ({"return_url": "/return"}, 422, "INVALID_REQUEST_BODY"),
        ({"cancel_url": "javascript:alert(1)"}, 422, "INVALID_REQUEST_BODY"),
        ({"discount_codes": ["HALF"]}, 400, "INVALID_DISCOUNT_CODE"),
        ({"discount_code": "A", "discount_codes": ["B"]}, 422, "INVALID_REQUEST_BODY"),
        ({"discount_codes": ["A"] * 21}, 422, "INVALID_REQUEST_BODY"),
        ({"allowed_payment_method_types": ["apple_pay"]}, 400, "NO_ELIGIBLE_PAYMENT_METHODS"),
        ({"metadata": {f"key{number}": 1 for number in range(51)}}, 400, "MAXIMUM_KEYS_REACHED"),
        ({"metadata": {"k" * 41: 1}}, 422, "INVALID_REQUEST_BODY"),
        ({"metadata": {"a key": 1}}, 422, "INVALID_REQUEST_BODY"),
        ({"metadata": {"key": "v" * 501}}, 422, "INVALID_REQUEST_BODY"),
        ({"metadata": {"key": [1]}}, 422, "INVALID_REQUEST_BODY"),
        ({"confirm": True}, 422, "INVALID_REQUEST_BODY"),
    ],
)
async def test_a_session_that_dodo_would_refuse(
    client: httpx.AsyncClient, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.post("/dodo/checkouts", json=checkout(**changes))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message"}
    assert (await client.get(f"{CONTROL}/sessions")).json() == {"sessions": []}


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{" * 5_000])
async def test_a_body_that_is_no_session(client: httpx.AsyncClient, body: bytes) -> None:
    assert (await client.post("/dodo/checkouts", content=body)).status_code == 422


async def test_what_is_within_the_limits_of_metadata_is_kept_as_it_came(client: httpx.AsyncClient) -> None:
    metadata = {"k" * 40: "v" * 500, "number": 1.5, "whole": 2, "truth": True}
    assert (await paid(client, metadata=metadata))["metadata"] == metadata


async def test_a_session_is_good_for_one_payment(client: httpx.AsyncClient) -> None:
    session = await opened(client)
    pay = f"{CONTROL}/sessions/{session['session_id']}/pay"
    first, second = [await client.post(pay, json={"status": "failed"}) for _ in range(2)]
    assert first.json()["status"] == "failed"
    assert (second.status_code, second.json()["code"]) == (409, "CHECKOUT_SESSION_CONSUMED")
    assert len((await client.get(f"{CONTROL}/payments")).json()["payments"]) == 1


async def test_who_has_paid_before_is_the_same_customer(client: httpx.AsyncClient) -> None:
    first = await paid(client)
    again = await paid(client, customer={"customer_id": first["customer"]["customer_id"]})
    other = await paid(client, customer={"email": "bob@example.com"})
    assert again["customer"] == first["customer"]
    assert other["customer"]["customer_id"] != first["customer"]["customer_id"]


async def test_any_product_is_sold_where_none_is_configured() -> None:
    async with running(dodo_price_minor=250, dodo_currency="EUR") as client:
        payment = await paid(client, product_cart=cart(2, "pdt_any"))
    assert (payment["total_amount"], payment["currency"]) == (500, "EUR")


async def test_too_small_an_amount_is_refused() -> None:
    async with running(dodo_price_minor=49) as client:
        answer = await client.post("/dodo/checkouts", json=checkout(product_cart=cart(1)))
    assert answer.json()["code"] == "TOTAL_PAYMENT_AMOUNT_BELOW_MINIMUM_AMOUNT"


@pytest.mark.parametrize(("inclusive", "total", "tax"), [(False, 595, 95), (True, 500, 80)])
async def test_tax_is_added_to_the_price_or_part_of_it(
    client: httpx.AsyncClient, inclusive: bool, total: int, tax: int
) -> None:
    await controlled(client, "PATCH", "settings", tax_percent=19, tax_inclusive=inclusive)
    payment = await paid(client)
    assert (payment["total_amount"], payment["tax"]) == (total, tax)


async def test_discount_codes_take_off_one_after_another(client: httpx.AsyncClient) -> None:
    await controlled(client, "PATCH", "settings", discounts={"HALF": 50, "TENTH": 10})
    assert (await paid(client, discount_codes=["HALF", "TENTH"]))["total_amount"] == 225


async def test_another_currency_is_charged_only_where_it_has_a_rate(client: httpx.AsyncClient) -> None:
    ignored = await paid(client, billing_currency="EUR")
    assert (ignored["total_amount"], ignored["currency"]) == (500, "USD")
    await controlled(client, "PATCH", "settings", rates={"EUR": 0.9})
    payment = await paid(client, billing_currency="EUR")
    assert (payment["total_amount"], payment["currency"]) == (450, "EUR")
    assert (payment["settlement_amount"], payment["settlement_currency"]) == (500, "USD")


async def test_payments_are_listed_newest_first_in_pages(client: httpx.AsyncClient) -> None:
    made = [(await paid(client))["payment_id"] for _ in range(5)][::-1]

    async def page(**query: Any) -> list[str]:
        answer = await client.get("/dodo/payments", params=query)
        return [each["payment_id"] for each in answer.json()["items"]]

    assert await page() == made
    assert await page(page_size=2) == made[:2]
    assert await page(page_size=2, page_number=2) == made[4:]
    assert await page(page_number=1) == []


async def test_payments_are_filtered(client: httpx.AsyncClient) -> None:
    good = await paid(client)
    bad = await paid(client, status="failed", customer={"email": "bob@example.com"})

    async def found(**query: Any) -> list[str]:
        answer = await client.get("/dodo/payments", params=query)
        return [each["payment_id"] for each in answer.json()["items"]]

    assert await found(status="failed") == [bad["payment_id"]]
    assert await found(customer_id=good["customer"]["customer_id"]) == [good["payment_id"]]
    assert await found(created_at_gte=bad["created_at"]) == [bad["payment_id"]]
    assert await found(created_at_lte=good["created_at"]) == [good["payment_id"]]
    assert await found(product_id="pdt_other") == []
    assert await found(currency="USD") == [bad["payment_id"], good["payment_id"]]


@pytest.mark.parametrize("query", [{"page_size": 101}, {"page_number": -1}, {"created_at_gte": "yesterday"}])
async def test_a_query_that_does_not_fit_is_refused(client: httpx.AsyncClient, query: dict[str, Any]) -> None:
    answer = await client.get("/dodo/payments", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY_PARAMS")


@pytest.mark.parametrize("path", ["checkouts/cks_0", "payments/pay_0", "payments/pay_0/line-items"])
async def test_what_is_not_there_is_a_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/dodo/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_payment_takes_its_time_and_then_succeeds(client: httpx.AsyncClient) -> None:
    payment = await paid(client, status="processing")
    assert payment["status"] == "processing"
    await controlled(client, "PUT", f"payments/{payment['payment_id']}", status="succeeded")
    assert (await read(client, f"payments/{payment['payment_id']}"))["status"] == "succeeded"


async def test_a_declined_payment_says_why(client: httpx.AsyncClient) -> None:
    payment = await paid(client, status="failed")
    assert (payment["error_code"], payment["card_last_four"]) == ("CARD_DECLINED", "0002")


async def test_a_key_is_asked_for_only_where_one_is_set() -> None:
    async with running(dodo_api_key="key of this test") as client:
        absent = await client.get("/dodo/payments")
        wrong = await client.get("/dodo/payments", headers={"Authorization": "Bearer another"})
        right = await client.get("/dodo/payments", headers={"Authorization": "Bearer key of this test"})
        session = await client.post("/dodo/checkouts", json=checkout())
    assert [answer.status_code for answer in (absent, wrong, right, session)] == [401, 401, 200, 401]
    assert absent.json()["code"] == "UNAUTHORIZED"


async def test_a_session_can_be_opened_and_its_answer_lost(client: httpx.AsyncClient) -> None:
    await script(client, {"on": "create_checkout", "processed": True, "reply": {"status": 500}}, service="dodo")
    answer = await client.post("/dodo/checkouts", json=checkout())
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert len((await client.get(f"{CONTROL}/sessions")).json()["sessions"]) == 1


async def test_a_rule_finds_a_payment_by_its_metadata(client: httpx.AsyncClient) -> None:
    seven, eight = [await paid(client, metadata={"order_id": order}) for order in ("7", "8")]
    rule = {"on": "get_payment", "contains": '"order_id":"8"', "reply": {"status": 429}}
    await script(client, rule, service="dodo")
    assert (await client.get(f"/dodo/payments/{seven['payment_id']}")).status_code == 200
    assert (await client.get(f"/dodo/payments/{eight['payment_id']}")).json()["code"] == "TOO_MANY_REQUESTS"


def test_only_the_latest_records_are_kept() -> None:
    records: Records[int] = Records()
    for number in range(KEPT + 2):
        records.keep(str(number), number)
    assert (len(records), next(iter(records))) == (KEPT, "2")
