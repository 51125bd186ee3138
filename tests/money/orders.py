"""One set of events, told in many orders and some of them twice: what each order came to."""

import itertools
import math
import random
from collections.abc import Sequence

from msgspec import Struct

from application.payments.ports import PaymentNews, Report
from tests.money.promise import left
from tests.money.sets import PAID, QUANTITY
from tests.unit.application.till import Till

MOST_ORDERS = 720
"""All there are of six events."""


class Balance(Struct, frozen=True):
    credits: int
    frozen: int
    taken: int
    status: str
    """Of the purchase, as its customer sees it."""


class Tried(Struct, frozen=True):
    """What became of a set of events."""

    name: str
    events: int
    orders: int
    balances: set[Balance]
    promised: tuple[int, int]
    """Credits and frozen ones that there must be, whatever the order."""

    @property
    def holds(self) -> bool:
        return {(balance.credits, balance.frozen) for balance in self.balances} == {self.promised} and (
            len(self.balances) == 1
        )


async def try_orders(name: str, told: Sequence[Report], dice: random.Random, most: int = MOST_ORDERS) -> Tried:
    balances = set()
    orders = _orders(told, dice, most)
    for order in orders:
        balances.add(await _told_so(order, dice))
    aside = [report for report in told if not isinstance(report, PaymentNews)]
    return Tried(name, len(told), len(orders), balances, left(QUANTITY, PAID, aside))


def _orders(told: Sequence[Report], dice: random.Random, most: int) -> Sequence[Sequence[Report]]:
    """All there are, or so many of them by chance."""
    if math.factorial(len(told)) <= most:
        return list(itertools.permutations(told))
    return [dice.sample(told, len(told)) for _ in range(most)]


async def _told_so(order: Sequence[Report], dice: random.Random) -> Balance:
    till = await Till.opened()
    bought = (await till.order(QUANTITY)).transaction_id
    for number, report in enumerate(order):
        for _ in range(dice.choice((1, 1, 2))):
            await till.hear(report, webhook_id=f"told_{number}")
        if dice.random() < 0.25:
            await till.hear(dice.choice(order[: number + 1]))
    credits_, frozen, _ = await till.balance()
    taken = till.payments.table.kept[PAID.payment_id].taken
    return Balance(credits_, frozen, taken, till.purchase(bought).status)
