"""`python -m tests.money [RANDOM_SETS]`: tell the same events of a payment in every order, and show what is left.

Sets that were thought of, and so many by chance. Fails when one of them leaves more than one balance, or another than
all that was told comes to.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Sequence

from rich.console import Console
from rich.table import Table

from tests.money.orders import MOST_ORDERS, Tried, try_orders
from tests.money.sets import SETS, any_set

_WIDTH = 120


async def campaign(by_chance: int, *, most: int = MOST_ORDERS, seed: int = 0) -> AsyncIterator[Tried]:
    dice = random.Random(seed)
    for name, told in SETS.items():
        yield await try_orders(name, told, dice, most)
    for number in range(by_chance):
        yield await try_orders(f"by chance, {number + 1}", any_set(dice), dice, most)


def show(sets: Sequence[Tried]) -> None:
    table = Table("told of ten credits for 10.00 USD", "events", "orders", "distinct balances", "credits", "frozen", "")
    for tried in sets:
        credits_, frozen = tried.promised
        verdict = "[green]holds[/]" if tried.holds else "[red]BROKEN[/]"
        counted = map(str, (tried.events, tried.orders, len(tried.balances), credits_, frozen))
        table.add_row(tried.name, *counted, verdict)
    table.add_section()
    totals = (sum(tried.events for tried in sets), sum(tried.orders for tried in sets))
    table.add_row(f"{len(sets)} sets", *map(str, totals), "", "", "", "")
    width = None if sys.stdout.isatty() else _WIDTH
    Console(highlight=False, width=width).print(table)


async def main(by_chance: str = "20") -> int:
    sets = [tried async for tried in campaign(int(by_chance))]
    show(sets)
    return 0 if all(tried.holds for tried in sets) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
