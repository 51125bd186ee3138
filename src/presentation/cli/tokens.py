"""Operators' commands about tokens and what else expires."""

import click
from msgspec import to_builtins

from application.housekeeping.purge_expired import PurgeExpired, PurgeExpiredHandler
from presentation.cli.operations import Operation, operation


@click.group("tokens")
def token_commands() -> None:
    """Tokens, links, sessions and kept answers."""


@token_commands.command()
@operation
def purge(operate: Operation) -> None:
    """Remove what has expired; workers do the same every ten minutes.

    Example: hairtryon tokens purge --json
    """
    purged = operate.run(PurgeExpiredHandler, PurgeExpired())
    operate.show(purged, ["expired", "removed"], to_builtins(purged).items())
