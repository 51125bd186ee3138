"""What a customer and a merchant see, and what their buttons do."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.calls import CallLog
from sandbox.config import SandboxConfig
from sandbox.dodo.business import Business
from sandbox.dodo.checkouts import CartRequest, CheckoutRequest
from sandbox.dodo.deliveries import Deliveries
from sandbox.dodo.errors import RefusedError
from sandbox.dodo.settings import settings_at_start
from sandbox.script import Script
from sandbox.webhooks import WebhookSender
from tests.unit.sandbox.dodo import CONTROL, PRODUCT, cart, controlled, deliveries, opened, paid, read
from tests.unit.sandbox.talking import Receiver, running

GOOD, DECLINED, SLOW = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000000000001000"


@pytest.fixture
async def client(receiver: Receiver) -> AsyncIterator[httpx.AsyncClient]:
    async with running(dodo_product_id=PRODUCT, dodo_webhook_url=receiver.url) as client:
        yield client


class Forms(HTMLParser):
    """The addresses of a page's buttons by what stands on them, with their values."""

    def __init__(self) -> None:
        super().__init__()
        self.buttons: list[tuple[str, str, str]] = []
        self._action = ""
        self._value: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._action = given.get("action") or ""
        if tag == "button":
            self._value = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self._value is not None:
            self.buttons.append((data, self._action, self._value))
            self._value = None


async def press(client: httpx.AsyncClient, word: str, **fields: str) -> httpx.Response:
    """Press the first button of the dashboard with this word on it."""
    forms = Forms()
    forms.feed((await client.get("/dodo")).text)
    action, value = next((action, value) for label, action, value in forms.buttons if label == word)
    answer = await client.post(action, data={"value": value, **fields})
    assert answer.status_code == 303, answer.text
    return answer


async def labels(client: httpx.AsyncClient) -> list[str]:
    forms = Forms()
    forms.feed((await client.get("/dodo")).text)
    return [label for label, _, _ in forms.buttons]


@pytest.mark.parametrize(
    ("card", "status"),
    [(GOOD, "succeeded"), (DECLINED, "failed"), (SLOW, "processing"), ("4242-4242-4242-4242", "succeeded")],
)
async def test_a_card_decides_and_the_customer_comes_back_to_the_frontend(
    client: httpx.AsyncClient, card: str, status: str
) -> None:
    session = await opened(client)
    answer = await client.post(session["checkout_url"], data={"card": card, "expiry": "06/32", "cvc": "123"})
    assert answer.status_code == 303
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == "https://app.example.com/return"
    shown = await read(client, f"checkouts/{session['session_id']}")
    assert parse_qs(back.query) == {
        "order": ["7"],
        "payment_id": [shown["payment_id"]],
        "status": [status],
        "email": ["ada@example.com"],
    }
    assert shown["payment_status"] == status


async def test_the_page_shows_what_is_bought_and_which_cards_there_are(client: httpx.AsyncClient) -> None:
    await controlled(client, "PATCH", "settings", tax_percent=10)
    session = await opened(client, product_cart=cart(1_200), customer={"email": "ada@example.com", "name": "<b>Ada"})
    page = await client.get(session["checkout_url"])
    assert page.status_code == 200
    for text in (GOOD, DECLINED, "1,320.00 USD", "120.00 USD", "ada@example.com", "&lt;b&gt;Ada", "not Dodo Payments"):
        assert text in page.text
    assert "<b>Ada" not in page.text
    assert "src=" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_customer_whom_nobody_named_says_who_it_is(client: httpx.AsyncClient) -> None:
    session = await opened(client, customer=None)
    assert 'name="email"' in (await client.get(session["checkout_url"])).text
    assert (await client.post(session["checkout_url"], data={"card": GOOD, "email": "no"})).status_code == 422
    await client.post(session["checkout_url"], data={"card": GOOD, "email": "eve@example.com", "name": "Eve"})
    shown = await read(client, f"checkouts/{session['session_id']}")
    assert (shown["customer_email"], shown["customer_name"]) == ("eve@example.com", "Eve")


async def test_a_card_that_is_no_test_card_pays_nothing(client: httpx.AsyncClient) -> None:
    session = await opened(client)
    answer = await client.post(session["checkout_url"], data={"card": "4111111111111111"})
    assert answer.status_code == 422
    assert "no such test card" in answer.text
    assert (await client.post(session["checkout_url"], data={"card": GOOD})).status_code == 303


async def test_a_session_is_used_once(client: httpx.AsyncClient) -> None:
    session = await opened(client)
    await client.post(session["checkout_url"], data={"card": DECLINED})
    again = [await client.get(session["checkout_url"]), await client.post(session["checkout_url"], data={"card": GOOD})]
    assert [answer.status_code for answer in again] == [409, 409]
    assert all("used already" in answer.text for answer in again)
    assert (await client.get("/dodo/session/cks_unknown")).status_code == 404


async def test_cancelling_leads_back_and_leaves_the_session_open(client: httpx.AsyncClient) -> None:
    session = await opened(client)
    assert "Cancel" in (await client.get(session["checkout_url"])).text
    answer = await client.post(session["checkout_url"], data={"cancel": "true"})
    assert (answer.status_code, answer.headers["location"]) == (303, "https://app.example.com/cancel")
    assert (await read(client, f"checkouts/{session['session_id']}"))["payment_id"] is None
    assert (await client.post(session["checkout_url"], data={"card": GOOD})).status_code == 303


async def test_without_addresses_to_go_back_to_the_payment_ends_on_the_page(client: httpx.AsyncClient) -> None:
    session = await opened(client, return_url=None, cancel_url=None)
    assert "Cancel" not in (await client.get(session["checkout_url"])).text
    answer = await client.post(session["checkout_url"], data={"card": GOOD})
    assert (answer.status_code, "Paid" in answer.text) == (200, True)


async def test_a_discount_code_is_taken_on_the_page_where_there_are_some(client: httpx.AsyncClient) -> None:
    assert "discount_code" not in (await client.get((await opened(client))["checkout_url"])).text
    await controlled(client, "PATCH", "settings", discounts={"HALF": 50})
    session = await opened(client)
    assert "discount_code" in (await client.get(session["checkout_url"])).text
    wrong = await client.post(session["checkout_url"], data={"card": GOOD, "discount_code": "FREE"})
    assert wrong.status_code == 422
    await client.post(session["checkout_url"], data={"card": GOOD, "discount_code": "HALF"})
    (payment,) = (await client.get(f"{CONTROL}/payments")).json()["payments"]
    assert payment["total_amount"] == 250


async def test_a_session_may_take_no_discount_codes(client: httpx.AsyncClient) -> None:
    await controlled(client, "PATCH", "settings", discounts={"HALF": 50})
    session = await opened(client, feature_flags={"allow_discount_code": False})
    assert "discount_code" not in (await client.get(session["checkout_url"])).text
    answer = await client.post(session["checkout_url"], data={"card": GOOD, "discount_code": "HALF"})
    assert answer.status_code == 422


async def test_a_session_is_good_for_24_hours() -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    config = SandboxConfig()
    settings = settings_at_start(config)
    async with httpx.AsyncClient() as client:
        sender = WebhookSender(client, CallLog(), 1)
        business = Business(config, settings, Deliveries(settings, sender, Script()), lambda: now)
        session = business.open_session(CheckoutRequest(product_cart=[CartRequest(PRODUCT, 1)]))
        session.check_open(now + timedelta(hours=24, seconds=-1))
        with pytest.raises(RefusedError, match="expired"):
            session.check_open(now + timedelta(hours=24))


async def test_a_merchant_refunds_a_part_and_then_the_rest(client: httpx.AsyncClient) -> None:
    payment = await paid(client)
    await press(client, "Refund a part", amount="1.25")
    await press(client, "Refund the rest")
    shown = await read(client, f"payments/{payment['payment_id']}")
    assert ([each["amount"] for each in shown["refunds"]], shown["refund_status"]) == ([125, 375], "full")
    assert "Refund in full" not in await labels(client)


@pytest.mark.parametrize("amount", ["", "a", "1.234", "-1", "0", "9.99", "NaN"])
async def test_an_amount_that_cannot_be_refunded_is_refused(client: httpx.AsyncClient, amount: str) -> None:
    payment = await paid(client)
    answer = await client.post(f"/dodo/dashboard/payments/{payment['payment_id']}/refund", data={"amount": amount})
    assert answer.status_code in {400, 422}
    assert (await read(client, f"payments/{payment['payment_id']}"))["refunds"] == []


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Won", "won"),
        ("Lost", "lost"),
        ("Accept", "accepted"),
        ("Cancel", "cancelled"),
        ("Expire", "expired"),
    ],
)
async def test_a_dispute_is_opened_challenged_and_ended(client: httpx.AsyncClient, word: str, status: str) -> None:
    payment = await paid(client)
    await press(client, "Open a dispute")
    await press(client, "Challenge")
    await press(client, word)
    (dispute,) = (await read(client, f"payments/{payment['payment_id']}"))["disputes"]
    assert dispute["dispute_status"] == f"dispute_{status}"
    assert word not in await labels(client)
    types = [each["type"] for each in await deliveries(client)]
    assert types == ["payment.succeeded", "dispute.opened", "dispute.challenged", f"dispute.{status}"]


async def test_a_payment_in_processing_is_brought_to_its_end(client: httpx.AsyncClient) -> None:
    payment = await paid(client, status="processing")
    await press(client, "Let it succeed")
    assert (await read(client, f"payments/{payment['payment_id']}"))["status"] == "succeeded"


async def test_webhooks_are_held_back_and_released_in_reverse(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await press(client, "Set", mode="held")
    await paid(client)
    await press(client, "Open a dispute")
    first, second = await deliveries(client, "held")
    await press(client, "Release in reverse")
    assert [headers["webhook-id"] for headers, _ in receiver.received] == [second["id"], first["id"]]


async def test_webhooks_are_dropped_resent_doubled_and_sent_anew(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await press(client, "Set", mode="never")
    await paid(client)
    (dropped,) = await deliveries(client, "dropped")
    await press(client, "Set", mode="normal")
    await press(client, "Resend")
    await press(client, "Send twice at once")
    await press(client, "Send under a new id")
    received = [headers["webhook-id"] for headers, _ in receiver.received]
    assert received[:3] == [dropped["id"]] * 3
    assert received[3] != dropped["id"]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("payments/pay_0/refund", {}),
        ("payments/pay_0/dispute", {}),
        ("disputes/dp_0/status", {"value": "won"}),
        ("webhooks/evt_0/resend", {}),
    ],
)
async def test_a_button_about_nothing_says_so(client: httpx.AsyncClient, path: str, form: dict[str, str]) -> None:
    answer = await client.post(f"/dodo/dashboard/{path}", data=form)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (404, "text/html")


async def test_a_switch_that_there_is_not_changes_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.post("/dodo/dashboard/webhooks/mode", data={"mode": "loud"})).status_code == 422
    assert (await client.get(f"{CONTROL}/settings")).json()["webhooks"] == "normal"


async def test_the_dashboard_shows_a_customers_words_as_words(client: httpx.AsyncClient) -> None:
    session = await opened(client, customer=None)
    hostile = '"<script>alert(1)</script>@example.com'
    await client.post(session["checkout_url"], data={"card": GOOD, "email": hostile})
    await paid(client, customer={"email": "a&quot;'b@example.com"})
    page = await client.get("/dodo")
    assert "<script" not in page.text
    assert "a&amp;quot;&#x27;b@example.com" in page.text


async def test_an_empty_dashboard_says_so(client: httpx.AsyncClient) -> None:
    assert "Nothing yet" in (await client.get("/dodo")).text
