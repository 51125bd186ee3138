"""What Dodo writes, read: what is liberal by its own documents, and what is refused for safety."""

import json
from typing import Any

import msgspec
import pytest

from application.payments.ports import DisputeReport, PaymentNews, RefundReport
from domain.payments import DisputeState, RefundStatus
from domain.transactions import CartLine, PaymentStatus
from infrastructure.dodo_wire import read_event, read_payment, read_refund

PAYMENT: dict[str, Any] = {
    "payload_type": "Payment",
    "payment_id": "pay_1",
    "status": "succeeded",
    "total_amount": 1190,
    "currency": "USD",
    "tax": 190,
    "product_cart": [{"product_id": "pdt_1", "quantity": 10}],
    "metadata": {"transaction_id": "17", "user_id": 5, "other": True},
    "checkout_session_id": "cks_1",
    "payment_method": "card",
    "unknown": {"of": ["later"]},
}


def event(kind: str, data: dict[str, Any]) -> bytes:
    return json.dumps(
        {"business_id": "bus_1", "type": kind, "timestamp": "2026-01-15T10:30:00Z", "data": data}
    ).encode()


def test_a_payment_is_read_with_what_it_was_ordered_for() -> None:
    """Metadata may come as text or numbers."""
    kind, news = read_event(event("payment.succeeded", PAYMENT))
    assert kind == "payment.succeeded"
    assert isinstance(news, PaymentNews)
    assert news.happened is PaymentStatus.SUCCEEDED
    payment = news.payment
    assert (payment.payment_id, payment.session_id, payment.total, payment.tax) == ("pay_1", "cks_1", 1190, 190)
    assert payment.cart == (CartLine("pdt_1", 10),)
    assert (payment.ordered, payment.buyer) == (17, 5)


def test_the_event_says_what_happened_and_the_payload_how_it_stands_now() -> None:
    """A late `processing` may carry a payment that has succeeded."""
    _, news = read_event(event("payment.processing", PAYMENT))
    assert isinstance(news, PaymentNews)
    assert (news.happened, news.payment.status) == (PaymentStatus.UNDER_WAY, PaymentStatus.SUCCEEDED)


@pytest.mark.parametrize("status", ["processing", "requires_customer_action", "partially_captured", "new_word", None])
def test_a_status_that_is_no_end_is_under_way(status: str | None) -> None:
    state = read_payment(json.dumps(PAYMENT | {"status": status}).encode())
    assert state.payment.status is PaymentStatus.UNDER_WAY


@pytest.mark.parametrize("absent", ["tax", "product_cart", "metadata", "checkout_session_id", "payment_method"])
def test_what_may_be_absent_may_be_null_as_well(absent: str) -> None:
    for data in ({**PAYMENT, absent: None}, {key: value for key, value in PAYMENT.items() if key != absent}):
        _, news = read_event(event("payment.succeeded", data))
        assert isinstance(news, PaymentNews)


@pytest.mark.parametrize("ours", ["x", "-1", "1.5", "", "٣", "9" * 19, True, 1.0])
def test_metadata_that_is_no_id_of_ours_is_nobodys(ours: object) -> None:
    """Not taken for absent: a payment that names something else was not ordered here."""
    _, news = read_event(event("payment.succeeded", PAYMENT | {"metadata": {"transaction_id": ours}}))
    assert isinstance(news, PaymentNews)
    assert news.payment.ordered == 0


def test_refunds_are_read_by_their_event() -> None:
    data = {"refund_id": "ref_1", "payment_id": "pay_1", "amount": 400, "currency": "USD", "status": "succeeded"}
    for kind, status in (("refund.succeeded", RefundStatus.SUCCEEDED), ("refund.failed", RefundStatus.FAILED)):
        assert read_event(event(kind, data))[1] == RefundReport(
            refund_id="ref_1", payment_id="pay_1", amount=400, currency="USD", status=status
        )


@pytest.mark.parametrize("status", ["pending", "review", "new_word"])
def test_a_refund_that_is_asked_for_is_pending(status: str) -> None:
    body = {"refund_id": "ref_1", "payment_id": "pay_1", "amount": 400, "currency": "USD", "status": status}
    assert read_refund(json.dumps(body).encode()).status is RefundStatus.PENDING


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ("opened", DisputeState.OPEN),
        ("challenged", DisputeState.OPEN),
        ("won", DisputeState.WON),
        ("cancelled", DisputeState.WON),
        ("lost", DisputeState.LOST),
        ("accepted", DisputeState.LOST),
        ("expired", DisputeState.LOST),
    ],
)
@pytest.mark.parametrize("amount", ["400", 400])
def test_disputes_are_read_by_their_event_with_the_amount_as_text_or_number(
    what: str, state: DisputeState, amount: str | int
) -> None:
    data = {"dispute_id": "dp_1", "payment_id": "pay_1", "amount": amount, "currency": "USD"}
    assert read_event(event(f"dispute.{what}", data))[1] == DisputeReport(
        dispute_id="dp_1", payment_id="pay_1", amount=400, currency="USD", state=state
    )


@pytest.mark.parametrize("kind", ["subscription.active", "payout.created", "dispute.unheard_of", "payment.new", ""])
def test_other_events_say_nothing_to_us(kind: str) -> None:
    assert read_event(event(kind, {"anything": 1})) == (kind, None)


def test_an_event_without_data_that_concerns_us_is_no_event() -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_event(b'{"type": "payment.succeeded"}')


def test_a_payment_that_is_asked_for_tells_of_its_refunds_and_disputes() -> None:
    """What they leave out is the payment's own."""
    answered = PAYMENT | {
        "refunds": [{"refund_id": "ref_1", "amount": 400, "currency": "USD", "status": "succeeded"}],
        "disputes": [
            {"dispute_id": "dp_1", "amount": "790", "currency": "USD", "dispute_status": "dispute_opened"},
            {"dispute_id": "dp_2", "amount": "1", "currency": "USD", "dispute_status": "dispute_new_word"},
        ],
    }
    state = read_payment(json.dumps(answered).encode())
    assert [(refund.refund_id, refund.payment_id, refund.amount) for refund in state.refunds] == [
        ("ref_1", "pay_1", 400)
    ]
    assert [(dispute.dispute_id, dispute.payment_id) for dispute in state.disputes] == [("dp_1", "pay_1")]


def test_what_cannot_be_read_of_a_payment_does_not_hide_the_rest() -> None:
    good = {"refund_id": "ref_1", "amount": 400, "currency": "USD", "status": "succeeded"}
    answered = PAYMENT | {"refunds": [{"refund_id": 5}, good, "?"], "disputes": [{"dispute_id": "dp_1", "amount": -1}]}
    state = read_payment(json.dumps(answered).encode())
    assert [refund.refund_id for refund in state.refunds] == ["ref_1"]
    assert state.disputes == []
    assert [json.loads(body) for body in state.unreadable] == [
        {"refund_id": 5},
        "?",
        {"dispute_id": "dp_1", "amount": -1},
    ]


@pytest.mark.parametrize(
    ("is_partial", "amount", "status"), [(False, 1190, RefundStatus.SUCCEEDED), (True, 0, RefundStatus.PENDING)]
)
def test_a_partial_refund_that_does_not_say_how_much_is_not_taken_for_a_full_one(
    is_partial: bool,
    amount: int,
    status: RefundStatus,
) -> None:
    """It is known of, and waits for its own event; a full one is of the payment's total."""
    told = {"refund_id": "ref_1", "amount": None, "currency": None, "status": "succeeded", "is_partial": is_partial}
    (refund,) = read_payment(json.dumps(PAYMENT | {"refunds": [told]}).encode()).refunds
    assert (refund.amount, refund.currency, refund.status) == (amount, "USD", status)


@pytest.mark.parametrize(
    "wrong",
    [
        {"payment_id": "pay 1"},
        {"payment_id": "p" * 201},
        {"payment_id": ""},
        {"payment_id": 5},
        {"total_amount": 10.5},
        {"total_amount": 2**53},
        {"currency": "usd"},
        {"payment_method": "a\u0000b"},
        {"product_cart": [{"product_id": "pdt_1", "quantity": -1}]},
    ],
    ids=str,
)
def test_what_could_not_be_kept_is_not_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_event(event("payment.succeeded", PAYMENT | wrong))


@pytest.mark.parametrize("amount", ["4.00", "-4", "", "9" * 16, "4e2", None])
def test_a_disputes_amount_that_is_unclear_is_not_guessed(amount: str | None) -> None:
    data = {"dispute_id": "dp_1", "payment_id": "pay_1", "amount": amount, "currency": "USD"}
    with pytest.raises(msgspec.MsgspecError):
        read_event(event("dispute.lost", data))
