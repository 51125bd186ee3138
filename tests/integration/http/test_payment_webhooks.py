"""The payment provider's events: what grants, what takes back, and what is not believed."""

import asyncio
import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.payments import DisputeState
from domain.transactions import PaymentStatus
from tests.integration.http.conftest import Start
from tests.integration.http.mailbox import mails_to
from tests.integration.http.shop import attempt, balance, buy, deliver, order, purchase, told
from tests.integration.http.stories import HOME, Service
from tests.integration.http.test_provider_webhook import refused
from tests.selling import dispute_event, payment_event, refund_event, signed

FORGED = (401, "webhook_signature_invalid")


async def test_a_payment_is_credited_and_confirmed_by_mail(service: Service) -> None:
    """The purchase names what was paid and how; the ledger where the credits come from."""
    ada = await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 10)
    assert await balance(ada) == (10, 0, 10)
    seen = await purchase(ada, bought)
    assert (seen["status"], seen["payment_id"], seen["payment_method"]) == ("SUCCEEDED", payment_id, "card")
    (entry,) = (await ada.get("/user/credits/history"))["items"]
    assert (entry["amount"], entry["cause"], entry["reference"]) == (10, "purchase", f"transaction:{bought}")
    await service.work()
    (mail,) = mails_to(service, ada.email)
    assert "10.00 USD for 10 credits" in mail.text


async def test_parallel_deliveries_of_one_event_grant_once(service: Service) -> None:
    """All are answered 200."""
    ada = await service.customer(credits=0)
    payment_id = service.seller.pay((await order(ada, 10))["session_id"])
    event = payment_event(service.seller.payments[payment_id].payment)
    answers = await asyncio.gather(*(deliver(service, event, message_id="evt_same") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert await balance(ada) == (10, 0, 10)
    assert await service.count("payment_events") == 1


async def test_one_payment_under_other_ids_grants_once(service: Service) -> None:
    ada = await service.customer(credits=0)
    _, payment_id = await buy(service, ada, 10)
    event = payment_event(service.seller.payments[payment_id].payment)
    await asyncio.gather(*(told(service, event) for _ in range(5)))
    assert await balance(ada) == (10, 0, 10)


@pytest.mark.parametrize(
    "header",
    [
        {"webhook-signature": None},
        {"webhook-id": None},
        {"webhook-timestamp": None},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,not base64!"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,a,b"},
        {"webhook-signature": "v2," + "A" * 43 + "="},
        {"webhook-signature": "v1," + "A" * 43 + "="},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "NaN"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-id": "evt_other"},
        {"webhook-id": "e" * 300},
    ],
)
async def test_what_is_not_signed_as_it_should_be_is_not_believed(
    service: Service, header: dict[str, str | None]
) -> None:
    """401, no row, no credit: whatever is wrong with the headers."""
    ada = await service.customer(credits=0)
    payment_id = service.seller.pay((await order(ada, 10))["session_id"])
    event = payment_event(service.seller.payments[payment_id].payment)
    body, headers = signed(service.settings.dodo_payments_webhook_secret, "evt_1", event)
    given = [(name.encode(), value.encode()) for name, value in (headers | header).items() if value is not None]
    response = await service.browser().post("/payment/webhook", content=body, headers=given)
    assert (response.status_code, response.json()["code"]) == FORGED
    assert refused(service) == [("warning", "dodo", HOME)]
    assert await service.count("payment_events") == 0
    assert await balance(ada) == (0, 0, 0)


async def test_customers_behind_one_router_are_one_network_in_the_log(service: Service) -> None:
    """Of an IPv6 address its /64, of which one customer may have all; and never a line more than a request."""
    for host in (1, 2):
        answer = await service.browser(ip=f"2001:db8::{host}").post("/payment/webhook", json={})
        assert answer.status_code == 401
    assert refused(service) == [("warning", "dodo", "2001:db8::/64")] * 2


async def test_another_key_another_body_or_too_old_a_signature_is_not_believed(service: Service) -> None:
    """Nor are bytes that were written anew, though they say the same."""
    ada = await service.customer(credits=0)
    payment_id = service.seller.pay((await order(ada, 10))["session_id"])
    event = payment_event(service.seller.payments[payment_id].payment)
    secret = service.settings.dodo_payments_webhook_secret
    replicates = await deliver(service, event, secret=service.settings.replicate_webhook_secret)
    assert (replicates.status_code, replicates.json()["code"]) == FORGED
    body, headers = signed(secret, "evt_1", event)
    rewritten = await service.browser().post("/payment/webhook", content=body.replace(b": ", b":"), headers=headers)
    assert (rewritten.status_code, rewritten.json()["code"]) == FORGED
    for minutes in (-6, 6):
        body, headers = signed(secret, "evt_1", event, at=datetime.now(UTC) + timedelta(minutes=minutes))
        late = await service.browser().post("/payment/webhook", content=body, headers=headers)
        assert (late.status_code, late.json()["code"]) == FORGED
    assert await service.count("payment_events") == 0
    assert await balance(ada) == (0, 0, 0)


async def test_while_secrets_are_changed_both_are_believed(start: Start, service: Service) -> None:
    old = service.settings.dodo_payments_webhook_secret
    new = service.settings.replicate_webhook_secret
    rotating = await start(DODO_PAYMENTS_WEBHOOK_SECRET=f"{new} {old}")
    for secret in (old, new):
        answer = await deliver(rotating, {"type": "payout.created", "data": {}}, secret=secret)
        assert answer.status_code == 200


MISMATCHES: list[tuple[dict[str, Any], str]] = [
    ({"product_cart": [{"product_id": "pdt_cheap", "quantity": 10}]}, "product_mismatch"),
    ({"product_cart": []}, "product_mismatch"),
    ({"product_cart": None}, "product_mismatch"),
    (
        {"product_cart": [{"product_id": "pdt_one_credit", "quantity": 5}] * 2},
        "product_mismatch",
    ),
    ({"product_cart": [{"product_id": "pdt_one_credit", "quantity": 1}]}, "quantity_mismatch"),
    ({"product_cart": [{"product_id": "pdt_one_credit", "quantity": 11}]}, "quantity_mismatch"),
    ({"checkout_session_id": "cks_unknown"}, "session_unknown"),
    ({"checkout_session_id": None}, "session_unknown"),
    ({"metadata": {"transaction_id": "999", "user_id": "1"}}, "owner_mismatch"),
    ({"metadata": {"user_id": "999"}}, "owner_mismatch"),
    ({"metadata": {"transaction_id": "x"}}, "owner_mismatch"),
    ({"total_amount": 999}, "amount_too_low"),
    ({"total_amount": 1050, "tax": 51}, "amount_too_low"),
    ({"status": "processing"}, "status_mismatch"),
    ({"status": None}, "status_mismatch"),
    ({"total_amount": "1000"}, "unreadable"),
    ({"total_amount": -1}, "unreadable"),
    ({"total_amount": 2**70}, "unreadable"),
    ({"payment_id": "pay\u0000"}, "unreadable"),
    ({"currency": "dollars"}, "unreadable"),
]


@pytest.mark.parametrize(("changes", "reason"), MISMATCHES, ids=str)
async def test_what_does_not_match_our_own_order_is_quarantined(
    service: Service, changes: dict[str, Any], reason: str
) -> None:
    """200, for it is signed; no credit; operators are alerted once and can see it."""
    service.expected_alerts = ["payment_quarantined"]
    ada = await service.customer(credits=0)
    payment_id = service.seller.pay((await order(ada, 10))["session_id"])
    await told(service, payment_event(service.seller.payments[payment_id].payment, **changes))
    assert await balance(ada) == (0, 0, 0)
    assert await service.database.fetchval("SELECT reason FROM payment_events WHERE verdict = 'quarantined'") == reason


async def test_what_is_enough_in_our_currency_or_paid_in_another_is_credited(service: Service) -> None:
    """Tax comes on top; what another currency's amount is worth the provider has judged."""
    ada = await service.customer(credits=0)
    for amount in ({"total_amount": 1190, "tax": 190}, {"total_amount": 9, "currency": "EUR"}):
        payment_id = service.seller.pay((await order(ada, 10))["session_id"])
        await told(service, payment_event(service.seller.payments[payment_id].payment, **amount))
    assert await balance(ada) == (20, 0, 20)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"type": 5}', b'{"data": {}}', b'{"type": "payment.succeeded"}'],
)
async def test_signed_nonsense_is_kept_for_operators(service: Service, body: bytes) -> None:
    """Never a fault: 200, and quarantined."""
    service.expected_alerts = ["payment_quarantined"]
    response = await deliver(service, body)
    assert response.status_code == 200
    row = await service.database.fetchrow("SELECT verdict, reason, body FROM payment_events")
    assert tuple(row) == ("quarantined", "unreadable", body)


@pytest.mark.parametrize("kind", ["payout.created", "subscription.active", "dispute.unheard_of", "x"])
async def test_other_events_are_taken_and_change_nothing(service: Service, kind: str) -> None:
    ada = await service.customer(credits=0)
    await buy(service, ada, 10)
    await told(service, {"type": kind, "data": {"payment_id": "pay_1"}})
    assert await balance(ada) == (10, 0, 10)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("payment.processing", "PROCESSING"),
        ("payment.failed", "FAILED"),
        ("payment.cancelled", "CANCELLED"),
    ],
)
async def test_a_payment_that_came_to_nothing_is_shown_and_can_still_succeed(
    service: Service, kind: str, status: str
) -> None:
    """In any order: what was paid is credited, and stays so whatever older news comes after."""
    ada = await service.customer(credits=0)
    bought, payment_id = await attempt(service, ada, PaymentStatus.SUCCEEDED)
    payment = service.seller.payments[payment_id].payment
    await told(service, payment_event(payment, kind))
    assert ((await purchase(ada, bought))["status"], await balance(ada)) == (status, (0, 0, 0))
    await told(service, payment_event(payment))
    await told(service, payment_event(payment, kind))
    assert ((await purchase(ada, bought))["status"], await balance(ada)) == ("SUCCEEDED", (10, 0, 10))


async def test_paying_one_order_twice_credits_it_once(service: Service) -> None:
    """The second payment waits for an operator, who gives the money back."""
    service.expected_alerts = ["payment_quarantined"]
    ada = await service.customer(credits=0)
    opened = await order(ada, 10)
    for _ in range(2):
        payment_id = service.seller.pay(opened["session_id"])
        await told(service, payment_event(service.seller.payments[payment_id].payment))
    assert await balance(ada) == (10, 0, 10)
    assert await service.database.fetchval("SELECT reason FROM payment_events ORDER BY id DESC") == "paid_already"


async def test_partial_refunds_take_their_share_and_never_more_than_was_granted(service: Service) -> None:
    """Rounded up, in sum all of it at most; each is told of by mail once."""
    ada = await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 3)
    balances = []
    for amount in (100, 101, 99, 50):
        refund = service.seller.return_money(payment_id, amount)
        for _ in range(2):
            await told(service, refund_event(refund))
        balances.append((await balance(ada))[0])
    assert balances == [2, 0, 0, 0]
    assert (await purchase(ada, bought))["status"] == "REFUNDED"
    await service.work()
    assert len(mails_to(service, ada.email)) == 1 + 4


async def test_a_refund_of_spent_credits_leaves_a_debt_that_the_next_purchase_pays(service: Service) -> None:
    """Below zero nothing can be spent."""
    ada = await service.customer(credits=0)
    _, payment_id = await buy(service, ada, 2)
    await ada.generate(("front", "left"))
    await service.work()
    assert (await balance(ada))[0] == 0
    await told(service, refund_event(service.seller.return_money(payment_id)))
    assert await balance(ada) == (-2, 0, -2)
    assert (await ada.ask(await ada.order())).status_code == 402
    await buy(service, ada, 3)
    assert await balance(ada) == (1, 0, 1)
    assert (await ada.ask(await ada.order())).status_code == 202


async def test_a_refund_that_is_told_before_its_payment_is_mailed_with_the_receipt(service: Service) -> None:
    ada = await service.customer(credits=0)
    opened = await order(ada, 10)
    payment_id = service.seller.pay(opened["session_id"])
    await told(service, refund_event(service.seller.return_money(payment_id, 250)))
    await service.work()
    assert mails_to(service, ada.email) == []
    await told(service, payment_event(service.seller.payments[payment_id].payment))
    assert await balance(ada) == (7, 0, 7)
    await service.work()
    assert {mail.subject.partition(" - ")[0] for mail in mails_to(service, ada.email)} == {
        "Your purchase",
        "Your refund",
    }


async def test_a_refund_that_failed_takes_nothing(service: Service) -> None:
    """Unless it has succeeded, whichever is told first."""
    ada = await service.customer(credits=0)
    _, payment_id = await buy(service, ada, 10)
    refund = service.seller.return_money(payment_id)
    await told(service, refund_event(refund, "refund.failed"))
    assert await balance(ada) == (10, 0, 10)
    await told(service, refund_event(refund))
    await told(service, refund_event(refund, "refund.failed"))
    assert await balance(ada) == (0, 0, 0)


async def test_a_dispute_freezes_and_its_end_decides(service: Service) -> None:
    """Frozen credits cannot be spent; won sets them free, lost takes them."""
    service.expected_alerts = ["payment_disputed"] * 2
    ada = await service.customer(credits=1)
    for what, left in (("won", (11, 0, 11)), ("lost", (11, 0, 11))):
        _, payment_id = await buy(service, ada, 10)
        before = await balance(ada)
        dispute = service.seller.dispute(payment_id, DisputeState.OPEN)
        for opened in ("opened", "challenged", "opened"):
            await told(service, dispute_event(dispute, opened))
        assert await balance(ada) == (before[0], 10, before[2] - 10)
        await told(service, dispute_event(dispute, what))
        assert await balance(ada) == left
        await told(service, dispute_event(dispute, "opened"))
        assert await balance(ada) == left


@pytest.mark.parametrize("end", ["accepted", "expired", "lost"])
async def test_a_dispute_that_is_given_up_takes_the_credits(service: Service, end: str) -> None:
    service.expected_alerts = ["payment_disputed"]
    ada = await service.customer(credits=0)
    bought, payment_id = await buy(service, ada, 10)
    await told(service, dispute_event(service.seller.dispute(payment_id, DisputeState.OPEN), "opened"))
    await told(service, dispute_event(service.seller.dispute(payment_id, DisputeState.LOST), end))
    assert await balance(ada) == (0, 0, 0)
    assert (await purchase(ada, bought))["status"] == "DISPUTED"
    (entry, _) = (await ada.get("/user/credits/history"))["items"]
    assert (entry["amount"], entry["cause"]) == (-10, "dispute")


async def test_a_refund_in_another_currency_than_was_paid_waits_for_an_operator(service: Service) -> None:
    service.expected_alerts = ["payment_quarantined"]
    ada = await service.customer(credits=0)
    _, payment_id = await buy(service, ada, 10)
    await told(service, refund_event(service.seller.return_money(payment_id), currency="EUR"))
    assert await balance(ada) == (10, 0, 10)


async def test_a_dispute_in_another_currency_freezes_nothing_whenever_it_comes(service: Service) -> None:
    """Before the payment or after it: operators are alerted, the credits can be spent."""
    service.expected_alerts = [
        "payment_disputed",
        "refund_or_dispute_in_another_currency",
        "payment_disputed",
        "payment_quarantined",
    ]
    ada = await service.customer(credits=0)
    for early in (True, False):
        payment_id = service.seller.pay((await order(ada, 10))["session_id"])
        news = [
            dispute_event(service.seller.dispute(payment_id, DisputeState.OPEN), "opened", currency="EUR"),
            payment_event(service.seller.payments[payment_id].payment),
        ]
        for event in news if early else news[::-1]:
            await told(service, event)
    assert await balance(ada) == (20, 0, 20)


async def test_a_refund_or_dispute_that_is_told_of_two_payments_counts_for_each(service: Service) -> None:
    """Whatever the provider means by it, its message is taken, and the reconciler is not stopped by it."""
    service.expected_alerts = ["payment_disputed"] * 2
    ada = await service.customer(credits=0)
    bought = [(await buy(service, ada, 10))[1] for _ in range(2)]
    for payment_id in bought:
        await told(service, refund_event(service.seller.return_money(payment_id, 200), refund_id="ref_same"))
        dispute = service.seller.dispute(payment_id, DisputeState.OPEN)
        await told(service, dispute_event(dispute, "opened", dispute_id="dp_same"))
    assert await balance(ada) == (16, 16, 0)


async def test_a_refund_that_is_told_with_two_amounts_takes_the_same_in_either_order(service: Service) -> None:
    ada = await service.customer(credits=0)
    taken = []
    for amounts in ((200, 500), (500, 200)):
        _, payment_id = await buy(service, ada, 10)
        before = (await balance(ada))[0]
        refund = service.seller.return_money(payment_id, 200)
        for amount in amounts:
            await told(service, refund_event(refund, amount=amount))
        taken.append(before - (await balance(ada))[0])
    assert taken == [5, 5]


async def test_any_order_and_repetition_of_the_same_news_ends_in_the_same_balance(service: Service) -> None:
    """A payment, a partial refund, a dispute opened and won: every permutation, each event once or twice."""
    dice = random.Random(7)
    orders = list(itertools.permutations(range(4)))
    service.expected_alerts = ["payment_disputed"] * len(orders)
    ends = set()
    ada = await service.customer(credits=0)
    expected_alerts = 0
    for places in orders:
        before = (await balance(ada))[0]
        opened = await order(ada, 10)
        payment_id = service.seller.pay(opened["session_id"])
        dispute = service.seller.dispute(payment_id, DisputeState.OPEN)
        events = [
            payment_event(service.seller.payments[payment_id].payment),
            refund_event(service.seller.return_money(payment_id, 250)),
            dispute_event(dispute, "opened"),
            dispute_event(dispute, "won"),
        ]
        expected_alerts += places.index(2) < places.index(3)
        for place in places:
            for _ in range(dice.choice((1, 2))):
                await told(service, events[place])
        after = await balance(ada)
        ends.add((after[0] - before, after[1], (await purchase(ada, opened["transaction_id"]))["status"]))
    assert ends == {(7, 0, "PARTIALLY_REFUNDED")}
    service.expected_alerts = ["payment_disputed"] * expected_alerts


async def test_a_visit_of_the_return_address_changes_nothing(service: Service) -> None:
    """Whatever the browser says of the payment."""
    ada = await service.customer(credits=0)
    opened = await order(ada, 10)
    claim = {"payment_id": "pay_1", "status": "succeeded", "transaction_id": opened["transaction_id"]}
    for path in ("/payment/return", "/api/v1/payment/return"):
        await ada.api.get(service.root(path), params=claim)
    assert await balance(ada) == (0, 0, 0)


async def test_money_that_comes_after_an_account_was_erased_stays_with_its_pseudonym(service: Service) -> None:
    """Operators are alerted, for nobody can spend it; nothing that says who paid is kept, and no mail is sent."""
    service.expected_alerts = ["payment_for_erased_account", "refund_for_erased_account"]
    ada = await service.customer(credits=0)
    payment_id = service.seller.pay((await order(ada, 10))["session_id"])
    await service.database.execute("UPDATE users SET deleted_at = now() WHERE id = $1", ada.id)
    await told(service, payment_event(service.seller.payments[payment_id].payment))
    assert await service.database.fetchval("SELECT credits FROM users WHERE id = $1", ada.id) == 10
    await told(service, refund_event(service.seller.return_money(payment_id)))
    assert await service.database.fetchval("SELECT credits FROM users WHERE id = $1", ada.id) == 0
    assert await service.database.fetchval("SELECT count(*) FROM payment_events WHERE body IS NOT NULL") == 0
    await service.work()
    assert mails_to(service, ada.email) == []
