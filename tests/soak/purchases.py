"""Customers who buy credits, do not always pay, and have second thoughts; and what the books must say of it."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg
import httpx
from msgspec import Struct

from tests.faults.dodo import Dodo

MOST_CREDITS = 20
LONGEST_THOUGHT_SECONDS = 1.0

BAD_TURNS: Sequence[dict[str, Any]] = (
    {"on": "create_checkout", "reply": {"status": 500}},
    {"on": "create_checkout", "reply": {"status": 429}},
    {"on": "create_checkout", "reset": True, "processed": True},
    {"on": "create_checkout", "delay": 2},
    {"on": "create_checkout", "truncate": 20},
    {"on": "get_checkout", "reply": {"status": 503}, "times": 5},
    {"on": "get_payment", "reset": True, "times": 3},
    {"on": "get_payment", "delay": 2},
    {"on": "webhook", "webhook": {"mode": "never"}, "times": 5},
    {"on": "webhook", "webhook": {"mode": "twice"}, "times": 5},
    {"on": "webhook", "webhook": {"mode": "held"}, "times": 5},
    {"on": "webhook", "webhook": {"mode": "normal", "delay": 3}, "times": 5},
    {"on": "webhook", "webhook": {"mode": "forged"}},
    {"on": "webhook", "webhook": {"mode": "unsigned"}},
)
"""What the payment provider may do."""

_KEPT = """
SELECT transactions.id, transactions.status, credits, payments.id AS payment_id, granted, taken, frozen
FROM transactions LEFT JOIN payments ON payments.transaction_id = transactions.id
"""

_RECEIPT = re.compile(r"Purchase (\d+) is paid")

Asking = Callable[..., Awaitable[httpx.Response]]


class Buyer:
    """One customer's purchases. `ask` sends a request of the customer's under a key of its own."""

    def __init__(self, dodo: Dodo, ask: Asking, noted: Counter[tuple[str, str]], ordered: set[int]) -> None:
        self._dodo = dodo
        self._ask = ask
        self._noted = noted
        self._ordered = ordered
        self._paid: list[tuple[str, int]] = []
        self._unpaid: list[tuple[str, int]] = []
        """Checkouts that can still be paid."""

    async def buy(self) -> None:
        """Order, and pay, or be declined, or think better of it."""
        amount = random.randint(1, MOST_CREDITS)
        order = await self._ask("buy", "/payment/create-checkout", json={"credits_amount": amount})
        if order.status_code == httpx.codes.TOO_MANY_REQUESTS:
            await self._pay_what_was_left()
        if order.status_code != httpx.codes.CREATED:
            return
        self._ordered.add(order.json()["transaction_id"])
        outcome = random.choice((*["succeeded"] * 5, "failed", "cancelled", "processing", "left"))
        self._noted["pay", outcome] += 1
        session_id = order.json()["session_id"]
        if outcome in {"left", "failed", "cancelled"}:
            self._unpaid.append((session_id, amount))
        if outcome == "left":
            return
        payment_id = await self._dodo.pay(session_id, outcome)
        if outcome == "processing":
            await _think()
            outcome = random.choice(("succeeded", "failed"))
            await self._dodo.change_payment(payment_id, outcome)
        if outcome == "succeeded":
            self._paid.append((payment_id, 100 * amount))

    async def _pay_what_was_left(self) -> None:
        if not self._unpaid:
            return
        session_id, amount = self._unpaid.pop(0)
        self._noted["pay", "succeeded in the end"] += 1
        self._paid.append((await self._dodo.pay(session_id, "succeeded"), 100 * amount))

    async def regret(self) -> None:
        """Get money back for something bought before, or have the bank ask for it."""
        if not self._paid:
            return
        payment_id, total = self._paid.pop(random.randrange(len(self._paid)))
        what = random.choice(("refund", "refunds in part", "refund that fails", "dispute", "refund and dispute"))
        self._noted[what, "asked for"] += 1
        if "refund" in what:
            parts = [random.randint(1, total // 3) for _ in range(3)] if "part" in what else [random.randint(1, total)]
            for part in parts:
                status = "failed" if "fails" in what else "succeeded"
                await self._dodo.return_money(payment_id, part, status)
                await _think()
        if "dispute" in what:
            dispute_id = await self._dodo.dispute(payment_id)
            for status in random.choice(((), ("challenged",), ("won",), ("lost",), ("challenged", "lost"))):
                await _think()
                await self._dodo.change_dispute(dispute_id, status)


async def _think() -> None:
    await asyncio.sleep(random.uniform(0, LONGEST_THOUGHT_SECONDS))


class Books(Struct, frozen=True):
    """Our books beside the payment provider's: ids of what differs."""

    payments: int
    succeeded: int
    not_credited_once: list[str]
    """Payments that succeeded and whose order was not credited with just what it says, or is still open."""
    credited_for_nothing: list[str]
    not_taken_back: list[str]
    """Payments of which more, or less, was taken back or is frozen than refunds and disputes demand."""
    not_kept: list[int]
    """Purchases that a customer was given a checkout for and that are not there."""
    paid: set[int]
    """Purchases that a payment was made for."""
    refunds: int

    @property
    def agree(self) -> bool:
        return not (self.not_credited_once or self.credited_for_nothing or self.not_taken_back or self.not_kept)


async def compare(dodo: Dodo, database: asyncpg.Connection, ordered: set[int]) -> Books:
    kept = {row["id"]: row for row in await database.fetch(_KEPT)}
    of_payment = {row["payment_id"]: row for row in kept.values() if row["payment_id"]}
    made = await dodo.payments()
    succeeded = {payment["payment_id"]: payment for payment in made if payment["status"] == "succeeded"}
    return Books(
        payments=len(made),
        succeeded=len(succeeded),
        not_credited_once=[
            payment_id
            for payment_id, payment in succeeded.items()
            if not _is_credited(kept.get(int(payment["metadata"]["transaction_id"])), payment_id)
        ],
        credited_for_nothing=sorted(of_payment.keys() - succeeded.keys()),
        not_taken_back=[
            payment_id
            for payment_id, row in of_payment.items()
            if payment_id in succeeded and (row["taken"], row["frozen"]) != _owed(succeeded[payment_id], row["granted"])
        ],
        not_kept=sorted(ordered - kept.keys()),
        paid={int(payment["metadata"]["transaction_id"]) for payment in succeeded.values()},
        refunds=sum(len(_successful(payment)) for payment in succeeded.values()),
    )


def _is_credited(purchase: Mapping[str, Any] | None, payment_id: str) -> bool:
    if purchase is None or purchase["status"] in {"PENDING", "PROCESSING", "FAILED", "CANCELLED"}:
        return False
    return bool(purchase["payment_id"] == payment_id and purchase["granted"] == purchase["credits"])


def _owed(payment: Mapping[str, Any], granted: int) -> tuple[int, int]:
    """The credits that are to be taken back, and those to be frozen, by what the provider says."""
    total: int = payment["total_amount"]
    returned = sum(refund["amount"] for refund in _successful(payment))
    states = [dispute["dispute_status"].removeprefix("dispute_") for dispute in payment["disputes"]]
    returned = min(total, returned + total * states.count("lost"))
    taken = -(-granted * returned // total)
    is_open = any(state in {"opened", "challenged"} for state in states)
    return taken, granted - taken if is_open else 0


def _successful(payment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [refund for refund in payment["refunds"] if refund["status"] == "succeeded"]


class Mailed(Struct, frozen=True):
    """What was mailed about purchases, as far as the mail service still knows."""

    receipts: Counter[int]
    """By purchase."""
    refund_notices: int
    whole: bool
    """Nothing has been forgotten."""

    @classmethod
    def of(cls, mails: Sequence[Mapping[str, Any]]) -> "Mailed":
        receipts = [found[1] for mail in mails if (found := _RECEIPT.search(mail["text"]))]
        notices = [mail for mail in mails if mail["subject"].startswith("Your refund")]
        whole = not mails or mails[0]["id"] == len(mails)
        return cls(Counter(int(number) for number in receipts), len(notices), whole)

    def wrong(self, books: Books) -> int:
        """Receipts and notices that were sent twice, or of what was not, or not at all."""
        too_many = sum(times != 1 or number not in books.paid for number, times in self.receipts.items())
        missing = len(books.paid - self.receipts.keys()) + abs(books.refunds - self.refund_notices)
        return too_many + missing if self.whole else too_many
