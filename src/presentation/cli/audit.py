"""Operators' commands about what operators did."""

import click

from application.audit_log.list_audit_log import ListAuditLog, ListAuditLogHandler
from presentation.cli.operations import Operation, operation, paged


@click.group("audit")
def audit_commands() -> None:
    """What operators did, and why."""


@audit_commands.command("list")
@click.option("--by", metavar="NAME", help="Only what this operator did; `user:7` is the admin with that account.")
@click.option("--action", metavar="COMMAND", help="Only this command, such as `user.disable`.")
@click.option("--subject", metavar="WHAT:ID", help="Only what was done to this: `user:7`, `image:41`, `event:12`.")
@paged
@operation
def list_(
    operate: Operation, by: str | None, action: str | None, subject: str | None, limit: int, cursor: str | None
) -> None:
    """Show what operators did, here and over the admin API, newest first.

    Example: hairtryon audit list --by grace --action credits.grant
    """
    page = operate.run(ListAuditLogHandler, ListAuditLog(limit, cursor, by, action, subject))
    rows = [
        (entry.at, entry.operator, entry.action, entry.subject, entry.reason, _told(entry.details))
        for entry in page.items
    ]
    operate.show_page(page, ["when", "operator", "action", "subject", "reason", "details"], rows)


def _told(details: dict[str, object]) -> str:
    return ", ".join(f"{name} {_words(value)}" for name, value in details.items() if value is not None)


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
