"""Operators look at purchases and at what the provider told, and act on them, by name and for a reason."""

import json

import pytest
from dishka import Provider, Scope

from application.payments.ports import CheckoutOrder, PaymentProvider
from domain.transactions import PaymentStatus
from infrastructure.database.outbox import Doorbell
from presentation.cli.payments import payment_commands
from tests.fakes import FakeDoorbell
from tests.integration.cli.conftest import Terminal
from tests.selling import FakePaymentProvider

ADA = "ada@example.com"


@pytest.fixture
def seller() -> FakePaymentProvider:
    return FakePaymentProvider()


@pytest.fixture
def shop(terminal: Terminal, seller: FakePaymentProvider) -> Terminal:
    """Ada has ordered ten credits at a checkout where a payment may be made."""
    outside = Provider(scope=Scope.APP)
    outside.provide(lambda: seller, provides=PaymentProvider, override=True)
    outside.provide(FakeDoorbell, provides=Doorbell, override=True)
    terminal.overrides.append(outside)
    terminal.add_user(ADA)
    terminal.execute(
        "INSERT INTO transactions (user_id, credits, product_id, price, price_currency, amount, currency, status, "
        "session_id, created_at, ask_at) "
        "VALUES (1, 10, 'pdt_1', 100, 'USD', 1000, 'USD', 'PENDING', 'cks_1', now(), now())"
    )
    seller.orders["cks_1"] = CheckoutOrder(
        transaction_id=1, user_id=1, email=ADA, name="Ada", product_id="pdt_1", quantity=10, currency="USD"
    )
    return terminal


def test_a_payment_is_found_by_asking(shop: Terminal, seller: FakePaymentProvider) -> None:
    """The table says what has changed; asked again, nothing has."""
    seller.pay("cks_1")
    asked = shop.type(payment_commands, "reconcile", "1", "--operator", "grace")
    assert (asked.exit_code, asked.stderr) == (0, "Purchases asked about: 1; changed: 1.\n")
    assert "PENDING" in asked.stdout
    assert "SUCCEEDED" in asked.stdout
    again = json.loads(shop.type(payment_commands, "reconcile", "--json").stdout)
    assert again == {"asked": 1, "changed": []}
    shop.execute("DO $$ BEGIN ASSERT (SELECT credits FROM users WHERE id = 1) = 10; END $$")


def test_purchases_are_listed_and_shown(shop: Terminal, seller: FakePaymentProvider) -> None:
    payment_id = seller.pay("cks_1")
    shop.type(payment_commands, "reconcile")
    listed = json.loads(shop.type(payment_commands, "list", "--status", "succeeded", "--user", ADA, "--json").stdout)
    assert [(item["id"], item["email"], item["payment_id"]) for item in listed["items"]] == [(1, ADA, payment_id)]
    assert json.loads(shop.type(payment_commands, "list", "--status", "REFUNDED", "--json").stdout)["items"] == []
    shown = shop.type(payment_commands, "show", "1").stdout
    for word in (ADA, "10.00 USD", "granted 10, taken 0", payment_id):
        assert word in shown


def test_a_payment_in_quarantine_is_looked_at_and_released_once(shop: Terminal, seller: FakePaymentProvider) -> None:
    """What was ordered is granted, whatever was paid; the audit log has who said so and why."""
    seller.pay("cks_1", total=900)
    shop.type(payment_commands, "reconcile")
    (waiting,) = json.loads(shop.type(payment_commands, "list", "--quarantined", "--json").stdout)["items"]
    assert (waiting["reason"], waiting["transaction_id"]) == ("amount_too_low", 1)
    event = str(waiting["id"])
    assert '"total":900' in shop.type(payment_commands, "show", "--event", event).stdout
    released = shop.type(payment_commands, "release", event, "--reason", "old price", "--operator", "grace", "--json")
    assert json.loads(released.stdout) == {"event_id": waiting["id"], "transaction_id": 1, "credits": 10}
    again = shop.type(payment_commands, "release", event, "--reason", "again")
    assert again.exit_code == 4
    assert "not quarantined" in again.stderr
    shop.execute(
        "DO $$ BEGIN ASSERT (SELECT credits FROM users WHERE id = 1) = 10; ASSERT (SELECT count(*) = 1 "
        "FROM audit_entries WHERE action = 'payment.release' AND operator = 'grace' AND reason = 'old price'); END $$"
    )
    assert json.loads(shop.type(payment_commands, "list", "--quarantined", "--json").stdout)["items"] == []


def test_replaying_an_event_does_nothing_twice(shop: Terminal, seller: FakePaymentProvider) -> None:
    """Of a quarantined one, it says what it said before, as long as nothing has changed."""
    seller.pay("cks_1", total=900)
    shop.type(payment_commands, "reconcile")
    replayed = json.loads(shop.type(payment_commands, "replay", "1", "--json").stdout)
    assert (replayed["verdict"], replayed["reason"]) == ("quarantined", "amount_too_low")
    shop.execute("UPDATE transactions SET price = 90")
    for _ in range(2):
        replayed = json.loads(shop.type(payment_commands, "replay", "1", "--json").stdout)
        assert (replayed["verdict"], replayed["reason"]) == ("applied", None)
    shop.execute("DO $$ BEGIN ASSERT (SELECT credits FROM users WHERE id = 1) = 10; END $$")


def test_a_refund_is_asked_for_after_a_question(shop: Terminal, seller: FakePaymentProvider) -> None:
    """No answer, no refund; `--yes` is one."""
    payment_id = seller.pay("cks_1")
    shop.type(payment_commands, "reconcile")
    unanswered = shop.type(payment_commands, "refund", "1", "--reason", "sorry")
    assert unanswered.exit_code == 1
    assert seller.refunds_asked == []
    asked = shop.type(payment_commands, "refund", "1", "--amount", "250", "--reason", "sorry", "--yes", "--json")
    assert json.loads(asked.stdout)["amount"] == 250
    assert seller.refunds_asked == [(payment_id, 250, "sorry")]
    seller.complete_refunds(payment_id)
    shop.type(payment_commands, "reconcile")
    shop.execute("DO $$ BEGIN ASSERT (SELECT credits FROM users WHERE id = 1) = 7; END $$")


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (["show", "9"], 3, "transaction_not_found"),
        (["show"], 2, "Name a purchase"),
        (["show", "--event", "9"], 3, "not_found"),
        (["reconcile", "9"], 3, "transaction_not_found"),
        (["release", "9", "--reason", "x"], 3, "not_found"),
        (["replay", "9"], 3, "not_found"),
        (["refund", "1", "--reason", "x", "--yes"], 4, "has not been paid"),
        (["refund", "1", "--reason", " ", "--yes"], 2, "Say why"),
        (["list", "--user", "nobody@example.com"], 3, "user_not_found"),
        (["list", "--cursor", "?"], 2, "cursor"),
    ],
)
def test_what_cannot_be_done_is_told_with_an_exit_code(
    shop: Terminal, words: list[str], exit_code: int, told: str
) -> None:
    refused = shop.type(payment_commands, *words)
    assert refused.exit_code == exit_code
    assert told in refused.stderr
    assert refused.stdout == ""


def test_a_provider_that_is_away_is_told_with_6(shop: Terminal, seller: FakePaymentProvider) -> None:
    seller.pay("cks_1", status=PaymentStatus.SUCCEEDED)
    seller.is_away = True
    refused = shop.type(payment_commands, "reconcile", "1")
    assert refused.exit_code == 6
    assert "payment_provider_unavailable" in refused.stderr
