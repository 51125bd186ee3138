"""Operators' commands about credits."""

import sys

import click

from application.credits.audit_ledger import AuditLedger, AuditLedgerHandler
from application.credits.grant_credits import GrantCredits, GrantCreditsHandler
from application.credits.ports import Balance
from application.credits.revoke_credits import RevokeCredits, RevokeCreditsHandler
from application.credits.show_history import ShowHistory, ShowHistoryHandler
from presentation.cli.operations import OTHERWISE, Operation, operation, paged


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
    _show_balance(operate, email_or_id, operate.run(GrantCreditsHandler, GrantCredits(email_or_id, amount, reason)))


@credit_commands.command()
@click.argument("email_or_id")
@click.argument("amount", type=click.IntRange(1, 100_000))
@click.option("--reason", required=True, help="Why; kept in the ledger beside your name.")
@operation
def revoke(operate: Operation, email_or_id: str, amount: int, reason: str) -> None:
    """Take AMOUNT credits of a customer back, such as are available.

    Example: hairtryon credits revoke ada@example.com 5 --reason "granted to the wrong customer"
    """
    _show_balance(operate, email_or_id, operate.run(RevokeCreditsHandler, RevokeCredits(email_or_id, amount, reason)))


@credit_commands.command()
@click.argument("email_or_id")
@paged
@operation
def history(operate: Operation, email_or_id: str, limit: int, cursor: str | None) -> None:
    """Show every credit of a customer that came or went, newest first.

    Example: hairtryon credits history ada@example.com --limit 100
    """
    page = operate.run(ShowHistoryHandler, ShowHistory(email_or_id, limit, cursor))
    columns = ["when", "amount", "balance", "cause", "reference", "operator", "reason"]
    rows = [
        (
            item.created_at,
            f"{item.amount:+}",
            item.balance_after,
            item.cause,
            item.reference,
            item.operator,
            item.reason,
        )
        for item in page.items
    ]
    operate.show_page(page, columns, rows)


@credit_commands.command()
@operation
def audit(operate: Operation) -> None:
    """Add up every account from its entries and holds; exit with 1 when a kept sum differs.

    Example: hairtryon credits audit --json
    """
    found = operate.run(AuditLedgerHandler, AuditLedger())
    rows: list[tuple[object, object]] = [
        ("accounts", found.accounts),
        ("entries", found.entries),
        ("open holds", found.open_holds),
        ("accounts that differ", ", ".join(str(difference.user_id) for difference in found.differences) or "none"),
        ("views whose hold does not fit", ", ".join(map(str, found.holds_out_of_step)) or "none"),
        ("payments that do not fit", ", ".join(found.payments_out_of_step) or "none"),
    ]
    operate.show(found, ["audit", "result"], rows)
    if not found.balanced:
        sys.exit(OTHERWISE)


def _show_balance(operate: Operation, user: str, balance: Balance) -> None:
    row = (user, balance.credits, balance.credits_held, balance.credits_frozen, balance.credits_available)
    operate.show(balance, ["user", "credits", "held", "frozen", "available"], [row])
