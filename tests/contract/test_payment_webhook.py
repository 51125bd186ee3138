"""What `PaymentWebhook` promises, asked of `DodoWebhook` about the events that the sandbox really sends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from application.payments.ports import DisputeReport, PaymentEvent, PaymentNews, RefundReport
from domain.errors import Unauthenticated
from domain.payments import DisputeState, RefundStatus
from domain.transactions import PaymentStatus
from infrastructure.dodo import DodoPayments, DodoWebhook
from infrastructure.webhook_signatures import StandardWebhookVerifier
from sandbox.config import make_webhook_secret
from tests.contract.conftest import RunningSandbox
from tests.contract.test_payment_provider import ORDER, SITE
from tests.faults.dodo import Dodo
from tests.misbehaving import MisbehavingServer, answer


class Account:
    """Ours at the provider: a payment that was made, and whatever was sent to our address."""

    def __init__(self, sandbox: RunningSandbox, receiver: MisbehavingServer) -> None:
        self.secret = sandbox.webhook_secret
        self.dodo = Dodo(sandbox.url)
        self.provider = DodoPayments(
            base_url=f"{sandbox.url}/dodo", api_key=sandbox.dodo_key, return_url=SITE, cancel_url=SITE
        )
        self._receiver = receiver

    async def order(self) -> str:
        return (await self.provider.open_checkout(ORDER)).session_id

    async def pay(self) -> str:
        """A payment that nobody hears of."""
        await self.dodo.script({"on": "webhook", "webhook": {"mode": "never"}})
        return await self.dodo.pay(await self.order())

    async def received(self) -> tuple[bytes, httpx.Headers]:
        """The latest message, as it came."""
        async with asyncio.timeout(20):
            await self._receiver.asked.wait()
        self._receiver.asked.clear()
        head, _, body = self._receiver.requests[-1].partition(b"\r\n\r\n")
        return body, httpx.Headers(dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:]))

    async def opened(self, *secrets: str) -> PaymentEvent:
        """The latest message, checked with these secrets, or else with ours, and read."""
        webhook = DodoWebhook(StandardWebhookVerifier(" ".join(secrets or [self.secret])))
        return webhook.open(*await self.received())


@pytest.fixture
async def account(sandbox: RunningSandbox) -> AsyncIterator[Account]:
    async with MisbehavingServer(answer(200)) as receiver:
        account = Account(sandbox, receiver)
        await account.dodo.reset()
        await account.dodo.settings(webhook_url=f"{receiver.url}/api/v1/payment/webhook")
        yield account
        await account.dodo.reset()
        await account.provider.aclose()


@pytest.mark.parametrize(
    ("status", "happened"),
    [
        ("succeeded", PaymentStatus.SUCCEEDED),
        ("failed", PaymentStatus.FAILED),
        ("cancelled", PaymentStatus.CANCELLED),
        ("processing", PaymentStatus.UNDER_WAY),
    ],
)
async def test_a_payments_event_says_what_a_question_would_be_answered(
    account: Account, status: str, happened: PaymentStatus
) -> None:
    payment_id = await account.dodo.pay(await account.order(), status)
    event = await account.opened()
    state = await account.provider.payment(payment_id)
    assert state is not None
    assert (event.type, event.report) == (f"payment.{status}", PaymentNews(happened=happened, payment=state.payment))
    assert (event.readable, event.webhook_id) == (True, (await account.dodo.event(payment_id, event.type)).id)


async def test_late_news_tell_what_happened_and_how_it_stands_by_now(account: Account) -> None:
    """The provider shows a payment as it is when the event is sent."""
    await account.dodo.script({"on": "webhook", "times": 2, "webhook": {"mode": "held"}})
    payment_id = await account.dodo.pay(await account.order(), "processing")
    await account.dodo.change_payment(payment_id, "succeeded")
    await account.dodo.release((await account.dodo.event(payment_id, "payment.processing")).id)
    event = await account.opened()
    assert isinstance(event.report, PaymentNews)
    assert (event.report.happened, event.report.payment.status) == (PaymentStatus.UNDER_WAY, PaymentStatus.SUCCEEDED)


@pytest.mark.parametrize(("status", "expected"), [("succeeded", "SUCCEEDED"), ("failed", "FAILED")])
async def test_a_refunds_event_says_how_much_of_what(account: Account, status: str, expected: str) -> None:
    payment_id = await account.pay()
    refund_id = await account.dodo.return_money(payment_id, 300, status)
    event = await account.opened()
    report = RefundReport(
        refund_id=refund_id, payment_id=payment_id, amount=300, currency="USD", status=RefundStatus(expected)
    )
    assert (event.type, event.report) == (f"refund.{status}", report)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("opened", "OPEN"),
        ("challenged", "OPEN"),
        ("won", "WON"),
        ("cancelled", "WON"),
        ("lost", "LOST"),
        ("accepted", "LOST"),
        ("expired", "LOST"),
    ],
)
async def test_a_disputes_event_says_how_it_stands(account: Account, status: str, expected: str) -> None:
    payment_id = await account.pay()
    await account.dodo.script({"on": "webhook", "webhook": {"mode": "never"}})
    dispute_id = await account.dodo.dispute(payment_id)
    await account.dodo.change_dispute(dispute_id, status)
    event = await account.opened()
    report = DisputeReport(
        dispute_id=dispute_id, payment_id=payment_id, amount=2500, currency="USD", state=DisputeState(expected)
    )
    assert (event.type, event.report) == (f"dispute.{status}", report)


async def test_an_event_keeps_its_id_however_often_it_is_sent(account: Account) -> None:
    await account.dodo.script({"on": "webhook", "webhook": {"mode": "held"}})
    payment_id = await account.dodo.pay(await account.order())
    held = (await account.dodo.event(payment_id)).id
    ids = []
    for _ in range(2):
        await account.dodo.resend(held)
        ids.append((await account.opened()).webhook_id)
    assert ids == [held, held]


@pytest.mark.parametrize("kind", ["payout.created", "subscription.active", "credit.added", "dispute.unheard_of", ""])
async def test_what_does_not_concern_us_is_taken_and_reports_nothing(account: Account, kind: str) -> None:
    await account.dodo.send(kind, data={"payment_id": "pay_1"})
    event = await account.opened()
    assert (event.type, event.report, event.readable) == (kind, None, True)


@pytest.mark.parametrize("text", ["", "{", "null", "[" * 5_000, '{"type": "payment.succeeded"}'], ids=lambda t: t[:9])
async def test_signed_nonsense_is_told_to_be_so_and_kept_as_it_came(account: Account, text: str) -> None:
    await account.dodo.send(text=text)
    event = await account.opened()
    assert (event.readable, event.report, event.body) == (False, None, text.encode())


Sending = Callable[[Account, str], Awaitable[object]]

UNTRUE: dict[str, Sending] = {
    "forged": lambda account, payment: account.dodo.send(payment_id=payment, signature="forged"),
    "unsigned": lambda account, payment: account.dodo.send(payment_id=payment, signature="unsigned"),
    "too old": lambda account, payment: account.dodo.send(payment_id=payment, age=301),
    "too new": lambda account, payment: account.dodo.send(payment_id=payment, age=-310),
    "under another id": lambda account, payment: account.dodo.send(payment_id=payment, headers={"webhook-id": "evt"}),
}


@pytest.mark.parametrize("send", UNTRUE.values(), ids=UNTRUE)
async def test_what_the_provider_has_not_just_signed_is_not_believed(account: Account, send: Sending) -> None:
    await send(account, await account.pay())
    with pytest.raises(Unauthenticated) as refusal:
        await account.opened()
    assert refusal.value.code == "webhook_signature_invalid"


async def test_bytes_that_say_the_same_are_not_what_was_signed(account: Account) -> None:
    await account.dodo.pay(await account.order())
    body, headers = await account.received()
    webhook = DodoWebhook(StandardWebhookVerifier(account.secret))
    assert webhook.open(body, headers).report
    with pytest.raises(Unauthenticated):
        webhook.open(body.replace(b'":', b'": ', 1), headers)


async def test_while_secrets_are_changed_any_that_both_know_will_do(account: Account) -> None:
    """The provider signs with the old one and the new one; we have either, or both, and refuse with neither."""
    old, new, foreign = (make_webhook_secret() for _ in range(3))
    for signing, ours in (
        ((old, new), (old,)),
        ((old, new), (new,)),
        ((old,), (new, old)),
        ((new,), (new, old)),
        ((old, new), (foreign, new)),
    ):
        await account.dodo.settings(webhook_secret=" ".join(signing))
        await account.dodo.send("payout.created")
        assert (await account.opened(*ours)).type == "payout.created"
    await account.dodo.send("payout.created")
    with pytest.raises(Unauthenticated):
        await account.opened(foreign)
