"""What every `PaymentProvider` promises, asked of the fake and of Dodo as the sandbox plays it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol
from uuid import uuid4

import pytest

from application.payments.ports import CheckoutOrder, DisputeReport, PaymentProvider, PaymentState, RefundReport
from domain.errors import Conflict, Unavailable
from domain.payments import DisputeState, RefundStatus
from domain.transactions import CartLine, PaymentStatus
from infrastructure.dodo import MAX_BYTES, DodoPayments
from tests.contract.conftest import RunningSandbox
from tests.faults.database import eventually
from tests.faults.dodo import Dodo
from tests.misbehaving import Conduct, MisbehavingServer, answer, drip, reset, silence
from tests.selling import FakePaymentProvider

SITE = "https://tryon.example"
ORDER = CheckoutOrder(
    transaction_id=7,
    user_id=42,
    email="ada@tryon.example",
    name="Ada",
    product_id="pdt_one_credit",
    quantity=25,
    currency="USD",
)


class Seller(Protocol):
    """The other side: what customers, banks and the dashboard do there."""

    provider: PaymentProvider

    async def go_away(self) -> None:
        """Answer nobody any more."""

    async def pay(self, session_id: str, status: PaymentStatus) -> str:
        """The payment's id."""

    async def return_money(self, payment_id: str, amount: int) -> None: ...

    async def dispute(self, payment_id: str) -> None: ...

    async def take_time_with_refunds(self) -> None:
        """Leave money on its way for as long as a test lasts."""

    async def complete_refunds(self, payment_id: str) -> None:
        """Wait until all money that is on its way back has arrived."""


class FakeSeller(Seller):
    def __init__(self) -> None:
        self.provider: FakePaymentProvider = FakePaymentProvider()

    async def go_away(self) -> None:
        self.provider.is_away = True

    async def pay(self, session_id: str, status: PaymentStatus) -> str:
        return self.provider.pay(session_id, status=status)

    async def return_money(self, payment_id: str, amount: int) -> None:
        self.provider.return_money(payment_id, amount)

    async def dispute(self, payment_id: str) -> None:
        self.provider.dispute(payment_id, DisputeState.OPEN)

    async def take_time_with_refunds(self) -> None:
        """It waits to be told anyway."""

    async def complete_refunds(self, payment_id: str) -> None:
        self.provider.complete_refunds(payment_id)


class SandboxSeller(Seller):
    def __init__(self, sandbox: RunningSandbox, *, timeout: float = 20) -> None:
        self.dodo = Dodo(sandbox.url)
        self.provider: DodoPayments = _at(f"{sandbox.url}/dodo", sandbox.dodo_key, timeout)

    async def begin(self) -> None:
        """With nothing scripted or called, and no events: there is nobody here to hear them."""
        await self.dodo.reset()
        await self.dodo.settings(webhooks="never")

    async def go_away(self) -> None:
        operations = ("create_checkout", "get_checkout", "get_payment", "create_refund", "list_line_items")
        await self.dodo.script(*({"on": on, "times": None, "reply": {"status": 503}} for on in operations))

    async def pay(self, session_id: str, status: PaymentStatus) -> str:
        return await self.dodo.pay(session_id, "processing" if status is PaymentStatus.UNDER_WAY else status)

    async def return_money(self, payment_id: str, amount: int) -> None:
        await self.dodo.return_money(payment_id, amount)

    async def dispute(self, payment_id: str) -> None:
        await self.dodo.dispute(payment_id)

    async def take_time_with_refunds(self) -> None:
        await self.dodo.settings(refund_seconds=60)

    async def complete_refunds(self, payment_id: str) -> None:
        async def all_are() -> bool:
            refunds = (await self.dodo.payment(payment_id))["refunds"]
            return {refund["status"] for refund in refunds} == {"succeeded"}

        await eventually(all_are)


@pytest.fixture
async def played(sandbox: RunningSandbox) -> AsyncIterator[SandboxSeller]:
    seller = SandboxSeller(sandbox)
    await seller.begin()
    yield seller
    await seller.provider.aclose()


@pytest.fixture(params=["fake", "sandbox"])
def seller(request: pytest.FixtureRequest) -> Seller:
    if request.param == "fake":
        return FakeSeller()
    played: Seller = request.getfixturevalue("played")
    return played


async def bought(seller: Seller, status: PaymentStatus = PaymentStatus.SUCCEEDED) -> str:
    """Open a checkout and pay there; returns the payment's id."""
    return await seller.pay((await seller.provider.open_checkout(ORDER)).session_id, status)


async def state_of(seller: Seller, payment_id: str) -> PaymentState:
    state = await seller.provider.payment(payment_id)
    assert state is not None
    return state


# What both promise


async def test_every_checkout_is_one_more_with_an_address_of_its_own(seller: Seller) -> None:
    """The same order, opened twice, can be paid twice: whoever asks must not ask again."""
    first, second = [await seller.provider.open_checkout(ORDER) for _ in range(2)]
    assert first.session_id != second.session_id
    assert first.url.startswith("http")
    assert first.url != second.url


async def test_a_checkout_names_its_payment_once_there_is_one(seller: Seller) -> None:
    opened = await seller.provider.open_checkout(ORDER)
    assert await seller.provider.paid_with(opened.session_id) is None
    payment_id = await seller.pay(opened.session_id, PaymentStatus.SUCCEEDED)
    assert await seller.provider.paid_with(opened.session_id) == payment_id


async def test_nothing_is_known_of_what_never_was(seller: Seller) -> None:
    assert await seller.provider.paid_with("cks_never") is None
    assert await seller.provider.payment("pay_never") is None


@pytest.mark.parametrize("status", PaymentStatus)
async def test_a_payment_says_what_was_ordered_by_whom_and_how_it_stands(seller: Seller, status: PaymentStatus) -> None:
    """Above all to which order of ours it belongs."""
    opened = await seller.provider.open_checkout(ORDER)
    payment_id = await seller.pay(opened.session_id, status)
    state = await state_of(seller, payment_id)
    payment = state.payment
    assert (payment.payment_id, payment.session_id, payment.status) == (payment_id, opened.session_id, status)
    assert (payment.total, payment.tax, payment.currency) == (2500, 0, "USD")
    assert payment.cart == (CartLine(ORDER.product_id, ORDER.quantity),)
    assert (payment.ordered, payment.buyer, payment.method) == (ORDER.transaction_id, ORDER.user_id, "card")
    assert (state.refunds, state.disputes) == ([], [])


async def test_a_payment_tells_of_refunds_and_disputes(seller: Seller) -> None:
    payment_id = await bought(seller)
    await seller.return_money(payment_id, 300)
    await seller.dispute(payment_id)
    state = await state_of(seller, payment_id)
    refunds = [(refund.payment_id, refund.amount, refund.currency, refund.status) for refund in state.refunds]
    disputes = [(dispute.payment_id, dispute.amount, dispute.currency, dispute.state) for dispute in state.disputes]
    assert refunds == [(payment_id, 300, "USD", RefundStatus.SUCCEEDED)]
    assert disputes == [(payment_id, 2500, "USD", DisputeState.OPEN)]


async def test_a_whole_refund_is_on_its_way_and_then_there(seller: Seller) -> None:
    payment_id = await bought(seller)
    asked = await seller.provider.refund(payment_id, amount=None, reason="sorry")
    expected = RefundReport(
        refund_id=asked.refund_id, payment_id=payment_id, amount=2500, currency="USD", status=RefundStatus.PENDING
    )
    assert asked == expected
    await seller.complete_refunds(payment_id)
    (refund,) = (await state_of(seller, payment_id)).refunds
    assert (refund.refund_id, refund.amount, refund.status) == (asked.refund_id, 2500, RefundStatus.SUCCEEDED)


async def test_partial_refunds_leave_the_rest(seller: Seller) -> None:
    payment_id = await bought(seller)
    amounts = []
    for amount in (1, 999, None):
        amounts.append((await seller.provider.refund(payment_id, amount=amount, reason="sorry")).amount)
        await seller.complete_refunds(payment_id)
    assert amounts == [1, 999, 1500]
    assert sum(refund.amount for refund in (await state_of(seller, payment_id)).refunds) == 2500


@pytest.mark.parametrize("amount", [None, 1, 2501])
async def test_what_has_gone_back_cannot_go_back_again(seller: Seller, amount: int | None) -> None:
    """`Conflict`, in the provider's words."""
    payment_id = await bought(seller)
    await seller.provider.refund(payment_id, amount=None, reason="sorry")
    await seller.complete_refunds(payment_id)
    with pytest.raises(Conflict) as refusal:
        await seller.provider.refund(payment_id, amount=amount, reason="sorry")
    assert refusal.value.code == "conflict"
    assert len((await state_of(seller, payment_id)).refunds) == 1


async def test_no_more_goes_back_than_was_paid(seller: Seller) -> None:
    payment_id = await bought(seller)
    with pytest.raises(Conflict):
        await seller.provider.refund(payment_id, amount=2501, reason="sorry")
    assert (await state_of(seller, payment_id)).refunds == []


async def test_while_one_refund_is_on_its_way_no_other_begins(seller: Seller) -> None:
    payment_id = await bought(seller)
    await seller.take_time_with_refunds()
    await seller.provider.refund(payment_id, amount=100, reason="sorry")
    with pytest.raises(Conflict):
        await seller.provider.refund(payment_id, amount=100, reason="sorry")
    assert len((await state_of(seller, payment_id)).refunds) == 1


async def test_what_was_not_paid_is_not_refunded(seller: Seller) -> None:
    payment_id = await bought(seller, PaymentStatus.FAILED)
    with pytest.raises(Conflict):
        await seller.provider.refund(payment_id, amount=None, reason="sorry")


CALLS: dict[str, Callable[[PaymentProvider, str], Awaitable[object]]] = {
    "create_checkout": lambda provider, _: provider.open_checkout(ORDER),
    "get_checkout": lambda provider, _: provider.paid_with("cks_1"),
    "get_payment": lambda provider, payment_id: provider.payment(payment_id),
    "create_refund": lambda provider, payment_id: provider.refund(payment_id, amount=None, reason="sorry"),
    "list_line_items": lambda provider, payment_id: provider.refund(payment_id, amount=5, reason="sorry"),
}
"""Each call, by the operation of the sandbox that answers it first."""


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_provider_that_is_away_is_unavailable(
    seller: Seller, call: Callable[[PaymentProvider, str], Awaitable[object]]
) -> None:
    payment_id = await bought(seller)
    await seller.go_away()
    with pytest.raises(Unavailable) as failure:
        await call(seller.provider, payment_id)
    assert failure.value.code == "payment_provider_unavailable"


# What the adapter does on the wire


async def test_a_checkout_is_asked_for_with_nothing_left_to_choose(played: SandboxSeller) -> None:
    """One line, our currency, no discounts, our ids along; the way back names the order."""
    await played.provider.open_checkout(ORDER)
    (call,) = await played.dodo.calls("create_checkout")
    assert call.body == {
        "product_cart": [{"product_id": "pdt_one_credit", "quantity": 25}],
        "customer": {"email": "ada@tryon.example", "name": "Ada"},
        "billing_currency": "USD",
        "return_url": f"{SITE}/payment/return?transaction_id=7",
        "cancel_url": f"{SITE}/payment/cancel?transaction_id=7",
        "metadata": {"transaction_id": "7", "user_id": "42"},
        "feature_flags": {"allow_discount_code": False, "allow_currency_selection": False},
    }


async def test_a_payment_says_how_much_of_it_is_tax(played: SandboxSeller) -> None:
    await played.dodo.settings(tax_percent=20)
    taxed = (await state_of(played, await bought(played))).payment
    assert (taxed.total, taxed.tax, taxed.currency) == (3000, 500, "USD")


async def test_a_refund_is_of_a_payment_or_of_its_only_line_and_says_why(played: SandboxSeller) -> None:
    payment_id = await bought(played)
    await played.provider.refund(payment_id, amount=300, reason="a bad picture")
    await played.complete_refunds(payment_id)
    await played.provider.refund(payment_id, amount=None, reason="all bad")
    part, rest = [call.body for call in await played.dodo.calls("create_refund")]
    line = {"item_id": "pdt_one_credit", "amount": 300, "tax_inclusive": True}
    assert part == {"payment_id": payment_id, "reason": "a bad picture", "items": [line]}
    assert rest == {"payment_id": payment_id, "reason": "all bad"}


async def test_disputes_and_refunds_in_every_state_are_told(played: SandboxSeller) -> None:
    """A refund in review is on its way; a challenged dispute is open, an accepted or expired one lost."""
    payment_id = await bought(played)
    refund_id = await played.dodo.return_money(payment_id, 100)
    dispute_id = await played.dodo.dispute(payment_id)
    refunds, disputes = {}, {}
    for status in ("pending", "review", "failed", "succeeded"):
        await played.dodo.change_refund(refund_id, status)
        refunds[status] = (await state_of(played, payment_id)).refunds[0].status
    for status in ("opened", "challenged", "won", "cancelled", "lost", "accepted", "expired"):
        await played.dodo.change_dispute(dispute_id, status)
        told: DisputeReport = (await state_of(played, payment_id)).disputes[0]
        disputes[status] = told.state
    assert refunds == {"pending": "PENDING", "review": "PENDING", "failed": "FAILED", "succeeded": "SUCCEEDED"}
    assert (disputes["opened"], disputes["challenged"]) == ("OPEN", "OPEN")
    assert (disputes["won"], disputes["cancelled"]) == ("WON", "WON")
    assert (disputes["lost"], disputes["accepted"], disputes["expired"]) == ("LOST", "LOST", "LOST")


FAULTS: dict[str, dict[str, Any]] = {
    "429": {"reply": {"status": 429, "headers": {"Retry-After": "1"}}},
    "500": {"reply": {"status": 500}},
    "503": {"reply": {"status": 503}},
    "another key": {"reply": {"status": 401}},
    "a read-only key": {"reply": {"status": 403}},
    "cut": {"reset": True},
    "cut when done": {"reset": True, "processed": True},
    "half an answer": {"truncate": 20},
    "silence": {"hang": 30},
    "html": {"reply": {"text": "<html>"}},
    "nothing": {"reply": {"text": ""}},
    "no content": {"reply": {"status": 204}},
    "a list": {"reply": {"json": []}},
    "null": {"reply": {"json": None}},
    "deep nesting": {"reply": {"text": "[" * 5_000}},
    "no text": {"reply": {"base64": "/////w=="}},
    "other types": {
        "reply": {
            "json": {
                "session_id": 7,
                "checkout_url": ["https://x.test"],
                "payment_id": 5,
                "refund_id": None,
                "total_amount": "400",
                "items": {},
            }
        }
    },
    "ids that no row could hold": {
        "reply": {
            "json": {
                "session_id": "cks_\u0000",
                "checkout_url": "javascript:alert(1)",
                "payment_id": "pay_" + "x" * 300,
                "refund_id": "",
                "items": [{"items_id": ""}],
            }
        }
    },
    "without an end": {"reply": {"text": " " * (MAX_BYTES + 1)}},
    "compressed": {"reply": {"text": "{}", "headers": {"Content-Encoding": "gzip"}}},
    "redirect": {"reply": {"status": 307, "headers": {"Location": "/dodo/payments"}}},
    "found": {"reply": {"status": 302, "headers": {"Location": "/dodo/payments"}}},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("operation", CALLS)
async def test_what_cannot_be_understood_is_unavailable_and_asked_once(
    sandbox: RunningSandbox, operation: str, fault: dict[str, Any]
) -> None:
    """No redirect is followed, and nothing repeated: a checkout or a refund could not be told from its repetition."""
    impatient = SandboxSeller(sandbox, timeout=0.5 if "hang" in fault else 20)
    await impatient.begin()
    payment_id = await bought(impatient)
    await impatient.begin()
    await impatient.dodo.script({"on": operation, "times": None, **fault})
    with pytest.raises(Unavailable) as failure:
        await CALLS[operation](impatient.provider, payment_id)
    assert failure.value.code == "payment_provider_unavailable"
    assert failure.value.retry_after
    assert await impatient.dodo.counts() == {operation: 1}
    await impatient.provider.aclose()


@pytest.mark.parametrize("operation", ["create_checkout", "create_refund"])
async def test_what_is_written_to_an_unknown_place_is_unavailable(played: SandboxSeller, operation: str) -> None:
    """A 404 is no answer there: the product or the payment belongs to another account."""
    payment_id = await bought(played)
    await played.dodo.script({"on": operation, "reply": {"status": 404}})
    with pytest.raises(Unavailable):
        await CALLS[operation](played.provider, payment_id)


@pytest.mark.parametrize("status", [400, 409, 410, 422])
async def test_a_refund_that_is_refused_is_a_conflict_in_the_providers_words(
    played: SandboxSeller, status: int
) -> None:
    payment_id = await bought(played)
    refusal = {"code": "REFUND_WINDOW_EXPIRED", "message": "Too late to refund"}
    await played.dodo.script({"on": "create_refund", "reply": {"status": status, "json": refusal}})
    with pytest.raises(Conflict, match="Too late to refund"):
        await played.provider.refund(payment_id, amount=None, reason="sorry")
    assert await played.dodo.count("create_refund") == 1


@pytest.mark.parametrize(
    "conduct",
    [silence, reset, drip(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65_536), drip(b"HTTP/1.1 200 OK\r\nX-", b"x")],
    ids=["silence", "reset", "drip of a body", "drip of a header"],
)
async def test_a_call_ends_in_time_whatever_the_other_side_does(conduct: Conduct) -> None:
    """The time is that of the whole call, also where something comes all the while."""
    async with MisbehavingServer(conduct) as server:
        provider = _at(server.url, "any", 0.5)
        with pytest.raises(Unavailable):
            await provider.open_checkout(ORDER)
        await provider.aclose()
    assert len(server.requests) == 1


async def test_a_proxy_in_the_environment_is_not_asked(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is for the provider alone."""
    async with MisbehavingServer(answer(200, {"session_id": "cks_x", "checkout_url": "https://x.test"})) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        seller = SandboxSeller(sandbox)
        opened = await seller.provider.open_checkout(ORDER)
        await seller.provider.aclose()
        assert proxy.requests == []
    assert opened.session_id != "cks_x"


@pytest.mark.parametrize("operation", CALLS)
async def test_without_a_key_nothing_is_asked(sandbox: RunningSandbox, operation: str) -> None:
    dodo, provider = Dodo(sandbox.url), _at(f"{sandbox.url}/dodo", "", 20)
    await dodo.reset()
    with pytest.raises(Unavailable):
        await CALLS[operation](provider, "pay_1")
    await provider.aclose()
    assert await dodo.counts() == {}


async def test_with_another_key_nothing_is_sold(sandbox: RunningSandbox) -> None:
    """The key goes along as the provider wants it: with the right one all else here works."""
    provider = _at(f"{sandbox.url}/dodo", str(uuid4()), 20)
    with pytest.raises(Unavailable):
        await provider.open_checkout(ORDER)
    await provider.aclose()


def _at(base_url: str, api_key: str, timeout: float) -> DodoPayments:
    return DodoPayments(
        base_url=base_url,
        api_key=api_key,
        return_url=f"{SITE}/payment/return",
        cancel_url=f"{SITE}/payment/cancel",
        timeout=timeout,
    )
