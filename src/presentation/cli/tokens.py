"""Operators' commands about tokens and what else expires."""

import click
from msgspec.structs import asdict

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
    removed = {name: count for name, count in asdict(purged).items() if name != "more"}
    operate.show(purged, ["expired", "removed"], removed.items())
    if purged.more:
        operate.tell("There is more: run it once more, or leave it to the workers.")
