"""A purchase: what pays it, and how often the provider is asked about it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.errors import Conflict
from domain.payments import Payment
from domain.transactions import (
    CALL_LIFE,
    CHECKOUT_LIFE,
    LAST_NEWS,
    SLOWEST_PAYMENT,
    CartLine,
    Mismatch,
    Offer,
    PaymentReport,
    PaymentStatus,
    Transaction,
    TransactionStatus,
)
from tests.unit.factories import NOW

REPORT = PaymentReport(
    payment_id="pay_1",
    session_id="cks_1",
    status=PaymentStatus.SUCCEEDED,
    total=1000,
    tax=0,
    currency="USD",
    cart=(CartLine("pdt_1", 10),),
    method="card",
    ordered=1,
    buyer=7,
)
MINUTE = timedelta(minutes=1)


def ordered() -> Transaction:
    transaction = Transaction.order(7, 10, Offer("pdt_1", 100, "USD"), NOW)
    transaction.id = 1
    transaction.opened("cks_1", "https://checkout.test/1", NOW)
    return transaction


def paid() -> Transaction:
    transaction = ordered()
    transaction.paid_by(Payment(id="pay_1", heard_at=NOW), REPORT)
    return transaction


def test_a_payment_as_it_was_ordered_pays() -> None:
    assert ordered().mismatch(REPORT) is None


def test_a_payment_that_says_nothing_of_its_order_is_judged_by_its_checkout() -> None:
    assert ordered().mismatch(replace(REPORT, ordered=None, buyer=None)) is None


@pytest.mark.parametrize(
    ("change", "mismatch"),
    [
        ({"session_id": "cks_2"}, Mismatch.SESSION_UNKNOWN),
        ({"session_id": None}, Mismatch.SESSION_UNKNOWN),
        ({"status": PaymentStatus.UNDER_WAY}, Mismatch.STATUS_MISMATCH),
        ({"ordered": 2}, Mismatch.OWNER_MISMATCH),
        ({"buyer": 8}, Mismatch.OWNER_MISMATCH),
        ({"cart": ()}, Mismatch.PRODUCT_MISMATCH),
        ({"cart": (CartLine("pdt_1", 10), CartLine("pdt_2", 1))}, Mismatch.PRODUCT_MISMATCH),
        ({"cart": (CartLine("pdt_1", 9),)}, Mismatch.QUANTITY_MISMATCH),
        ({"total": 999}, Mismatch.AMOUNT_TOO_LOW),
        ({"total": 1100, "tax": 101}, Mismatch.AMOUNT_TOO_LOW),
        ({"total": 0, "currency": "JPY"}, Mismatch.AMOUNT_TOO_LOW),
        ({"total": 100, "tax": 100, "currency": "JPY"}, Mismatch.AMOUNT_TOO_LOW),
    ],
    ids=str,
)
def test_what_differs_from_the_order_does_not_pay_it(change: dict[str, object], mismatch: Mismatch) -> None:
    assert ordered().mismatch(replace(REPORT, **change)) is mismatch


def test_a_paid_order_is_not_paid_again() -> None:
    assert paid().mismatch(replace(REPORT, payment_id="pay_2")) is Mismatch.PAID_ALREADY


def test_older_news_does_not_undo_an_end() -> None:
    """A payment that failed is not under way again; another payment of the same checkout may be."""
    transaction = ordered()
    transaction.unpaid_yet(REPORT, PaymentStatus.FAILED)
    transaction.unpaid_yet(REPORT, PaymentStatus.UNDER_WAY)
    assert transaction.status is TransactionStatus.FAILED
    transaction.unpaid_yet(replace(REPORT, payment_id="pay_2"), PaymentStatus.UNDER_WAY)
    assert (transaction.status, transaction.payment_id) == (TransactionStatus.PROCESSING, "pay_2")


def test_what_is_paid_stays_paid() -> None:
    transaction = paid()
    transaction.unpaid_yet(REPORT, PaymentStatus.FAILED)
    assert transaction.status is TransactionStatus.SUCCEEDED


def test_a_checkout_that_nobody_paid_ends() -> None:
    """It is asked about until the provider cannot take money for it any more, and then it counts as cancelled."""
    transaction = ordered()
    transaction.asked(NOW + CHECKOUT_LIFE, every=MINUTE)
    assert transaction.status == "PENDING"
    assert transaction.ask_at is not None
    transaction.asked(NOW + CHECKOUT_LIFE + LAST_NEWS + MINUTE, every=MINUTE)
    assert transaction.status == "CANCELLED"
    assert not transaction.ask_at


def test_a_payment_under_way_is_asked_about_for_days() -> None:
    """A bank may take so long, and the webhook that tells of it may be lost; but it does not take for ever."""
    transaction = ordered()
    transaction.unpaid_yet(REPORT, PaymentStatus.UNDER_WAY)
    transaction.asked(NOW + CHECKOUT_LIFE + LAST_NEWS + MINUTE, every=MINUTE)
    assert transaction.status == "PROCESSING"
    assert transaction.ask_at is not None
    transaction.asked(NOW + SLOWEST_PAYMENT + MINUTE, every=MINUTE)
    assert transaction.status == "CANCELLED"
    assert not transaction.ask_at


def test_an_order_whose_checkout_nobody_opened_ends_as_well() -> None:
    """Opened again, however late, it has its whole day."""
    late = NOW + CHECKOUT_LIFE - MINUTE
    transaction = Transaction.order(7, 10, Offer("pdt_1", 100, "USD"), NOW)
    transaction.not_opened()
    transaction.open_again(late)
    assert transaction.ask_at == late + CHECKOUT_LIFE + LAST_NEWS
    transaction.asked(late + CHECKOUT_LIFE, every=MINUTE)
    assert transaction.status == "PENDING"
    transaction.asked(late + CHECKOUT_LIFE + LAST_NEWS, every=MINUTE)
    assert transaction.status == "CANCELLED"
    assert not transaction.ask_at


def test_a_purchase_is_asked_about_less_and_less_often() -> None:
    """At first as often as the settings say, later at each tenth of its age, and after half a year not at all."""
    transaction = paid()
    waits = []
    for age in (timedelta(minutes=5), timedelta(days=10)):
        transaction.asked(NOW + age, every=MINUTE)
        assert transaction.ask_at is not None
        waits.append(transaction.ask_at - (NOW + age))
    assert waits == [MINUTE, timedelta(days=1)]
    transaction.asked(NOW + timedelta(days=181), every=MINUTE)
    assert transaction.ask_at is None


def test_one_refund_at_a_time() -> None:
    """Who asks for one and is not heard of any more does not keep others out for ever."""
    transaction = paid()
    assert transaction.begin_refund(NOW) == "pay_1"
    with pytest.raises(Conflict):
        transaction.begin_refund(NOW)
    transaction.begin_refund(NOW + CALL_LIFE + MINUTE)
    transaction.end_refund()
    transaction.begin_refund(NOW)


def test_what_was_not_paid_is_not_refunded() -> None:
    with pytest.raises(Conflict):
        ordered().begin_refund(NOW)
