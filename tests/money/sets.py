"""Sets of events about one payment: everything that the provider can tell of it, and some that it cannot mean."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from application.payments.ports import DisputeReport, PaymentNews, RefundReport, Report
from domain.payments import DisputeState, RefundStatus
from domain.transactions import CartLine, PaymentReport, PaymentStatus
from tests.selling import PRICE

QUANTITY = 10
TOTAL = QUANTITY * PRICE
SESSION = "cks_1"
PAID = PaymentReport(
    payment_id="pay_1",
    session_id=SESSION,
    status=PaymentStatus.SUCCEEDED,
    total=TOTAL,
    tax=0,
    currency="USD",
    cart=(CartLine("pdt_1", QUANTITY),),
)
OPEN, WON, LOST = DisputeState.OPEN, DisputeState.WON, DisputeState.LOST


def news(status: PaymentStatus = PaymentStatus.SUCCEEDED, **changes: Any) -> Report:
    return PaymentNews(happened=status, payment=replace(PAID, status=status, **changes))


def refund(number: int, amount: int, status: RefundStatus = RefundStatus.SUCCEEDED, currency: str = "USD") -> Report:
    name = f"ref_{number}"
    return RefundReport(refund_id=name, payment_id="pay_1", amount=amount, currency=currency, status=status)


def dispute(number: int, state: DisputeState, amount: int = TOTAL, currency: str = "USD") -> Report:
    name = f"dp_{number}"
    return DisputeReport(dispute_id=name, payment_id="pay_1", amount=amount, currency=currency, state=state)


SETS: Mapping[str, Sequence[Report]] = {
    "paid": [news()],
    "failed twice before it was paid": [
        news(PaymentStatus.FAILED, payment_id="pay_0"),
        news(PaymentStatus.FAILED),
        news(PaymentStatus.UNDER_WAY),
        news(),
    ],
    "too little, then as much as was asked": [news(payment_id="pay_0", total=TOTAL - 1), news()],
    "refunded": [news(), refund(1, TOTAL)],
    "refunded in three parts, one of them asked for first": [
        news(),
        refund(1, 101),
        refund(2, 333, RefundStatus.PENDING),
        refund(2, 333),
        refund(3, 250),
    ],
    "refunds that failed, and one that failed to fail": [
        news(),
        refund(1, 400, RefundStatus.FAILED),
        refund(2, 400, RefundStatus.FAILED),
        refund(2, 400),
    ],
    "refunded more than was paid": [news(), refund(1, 800), refund(2, 10**12)],
    "disputed and open": [news(), dispute(1, OPEN), dispute(2, WON)],
    "disputed and won": [news(), dispute(1, OPEN), dispute(1, WON)],
    "disputed, won, and lost after all": [news(), dispute(1, OPEN), dispute(1, WON), dispute(1, LOST)],
    "disputed for more than was paid": [news(), dispute(1, OPEN, 10**12), dispute(1, LOST, 10**12)],
    "two disputes, one lost": [news(), dispute(1, OPEN, 300), dispute(1, LOST, 300), dispute(2, OPEN, 500)],
    "refunded in part, and the rest disputed": [
        news(),
        refund(1, 250),
        dispute(1, OPEN, 750),
        dispute(1, LOST, 750),
    ],
    "refunded and lost for the same money": [news(), refund(1, TOTAL), dispute(1, OPEN), dispute(1, LOST)],
    "one refund with three amounts": [news(), refund(1, 100), refund(1, 700), refund(1, 300)],
    "told in two currencies": [
        news(),
        refund(1, 900, currency="EUR"),
        refund(1, 200),
        dispute(1, LOST, currency="EUR"),
        dispute(1, OPEN),
    ],
}


def any_set(dice: random.Random) -> Sequence[Report]:
    """A payment, and up to five things that may be told of it."""
    told = [news()]
    for _ in range(dice.randint(1, 5)):
        amount, currency = dice.randint(0, 2 * TOTAL), dice.choice(["USD", "USD", "USD", "EUR"])
        if dice.random() < 0.5:
            told.append(refund(dice.randint(1, 3), amount, dice.choice(list(RefundStatus)), currency))
        else:
            told.append(dispute(dice.randint(1, 2), dice.choice(list(DisputeState)), amount, currency))
    return told
