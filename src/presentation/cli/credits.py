"""Operators' commands about credits."""

import sys

import click

from application.credits.audit_ledger import AuditLedger, AuditLedgerHandler
from application.credits.grant_credits import GrantCredits, GrantCreditsHandler
from presentation.cli.operations import OTHERWISE, Operation, operation


@click.group("credits")
def credit_commands() -> None:
    """Credits and the ledger."""


@credit_commands.command()
@click.argument("email_or_id")
@click.argument("amount", type=click.IntRange(1, 100_000))
@click.option("--reason", required=True, help="Why; kept in the ledger beside your name.")
@operation
def grant(operate: Operation, email_or_id: str, amount: int, reason: str) -> None:
    """Give AMOUNT credits to a customer.

    Example: hairtryon credits grant ada@example.com 5 --reason "render lost on 3 May"
    """
    balance = operate.run(GrantCreditsHandler, GrantCredits(email_or_id, amount, reason))
    row = (email_or_id, balance.credits, balance.credits_held, balance.credits_available)
    operate.show(balance, ["user", "credits", "held", "available"], [row])


@credit_commands.command()
@operation
def audit(operate: Operation) -> None:
    """Add up every account from its entries and holds; exit with 1 when a kept sum differs."""
    found = operate.run(AuditLedgerHandler, AuditLedger())
    rows: list[tuple[object, object]] = [
        ("accounts", found.accounts),
        ("entries", found.entries),
        ("open holds", found.open_holds),
        ("accounts that differ", ", ".join(str(difference.user_id) for difference in found.differences) or "none"),
        ("views whose hold does not fit", ", ".join(map(str, found.holds_out_of_step)) or "none"),
    ]
    operate.show(found, ["audit", "result"], rows)
    if not found.balanced:
        sys.exit(OTHERWISE)
