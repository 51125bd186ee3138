"""`python -m tests.money`, small."""

import random

from tests.money.__main__ import campaign
from tests.money.orders import Balance, Tried, try_orders
from tests.money.sets import news, refund


async def test_any_order_and_repetition_of_one_set_of_events_leaves_one_balance() -> None:
    """The one that all of it together comes to; also of what the provider cannot mean."""
    broken = [tried async for tried in campaign(10, most=24, seed=7) if not tried.holds]
    assert broken == []


async def test_the_table_would_show_it() -> None:
    """A set that leaves two balances, or another one than was promised, is broken."""
    tried = await try_orders("refunded", [news(), refund(1, 500)], random.Random(1))
    (balance,) = tried.balances
    assert (tried.orders, balance) == (2, Balance(5, 0, 5, "PARTIALLY_REFUNDED"))
    other = Balance(6, 0, 4, "PARTIALLY_REFUNDED")
    assert not Tried("refunded", 2, 2, {balance, other}, (5, 0)).holds
    assert not Tried("refunded", 2, 2, {other}, (5, 0)).holds
