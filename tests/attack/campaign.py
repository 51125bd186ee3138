"""All attacks, one after the other."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from rich.console import Console
from rich.table import Table

from tests.attack import accounts, guessing, payments, tokens
from tests.attack.target import Finding, Target
from tests.faults.rig import Rig

Attack = Callable[[Target], Awaitable[Finding]]

ATTACKS: Sequence[Attack] = (
    tokens.forged_tokens,
    tokens.replayed_refresh_token,
    tokens.two_tabs,
    tokens.tokens_after_logout,
    guessing.one_account_from_one_network,
    guessing.one_account_from_many_networks,
    guessing.many_accounts_from_one_address,
    guessing.many_accounts_from_forged_addresses,
    guessing.one_account_from_forged_addresses,
    guessing.flood_of_logins,
    accounts.known_addresses_at_login,
    accounts.known_addresses_at_sign_up,
    accounts.known_addresses_at_reset,
    accounts.cross_site_requests,
    accounts.parallel_registrations,
    accounts.extra_fields,
    payments.forged_payments,
    payments.replayed_payment,
    payments.anothers_purchase,
    payments.own_prices,
)
_WIDTH = 120


async def campaign(rig: Rig) -> AsyncIterator[tuple[str, Finding]]:
    """The name of each attack, and what came of it."""
    with rig.another_api(TRUSTED_PROXIES="127.0.0.1", RATE_LIMIT_AUTH="20/minute") as url:
        target = Target(rig, url)
        for attack in ATTACKS:
            target.prepare()
            yield str(attack.__doc__), await attack(target)


def show(findings: Sequence[tuple[str, Finding]]) -> None:
    table = Table("attack", "tried", "what came of it", "")
    for name, finding in findings:
        table.add_row(name, finding.tried, finding.came_of_it, "[green]held[/]" if finding.held else "[red]FELL[/]")
    width = None if sys.stdout.isatty() else _WIDTH
    Console(highlight=False, width=width).print(table)
