"""Operators' commands about what is to be done."""

import sys

import click
from msgspec.structs import asdict

from application.queue.fail_open_images import FailOpenImages, FailOpenImagesHandler
from application.queue.ports import Backlog
from application.queue.show_queue import QueueStatus, ShowQueue, ShowQueueHandler
from domain.errors import Unavailable
from presentation.cli.operations import EXIT_CODES, Operation, confirm, destructive, operation

_DEADLINE_SECONDS = 900.0
"""By then everything that was accepted has ended, if a worker runs."""


@click.group("queue")
def queue_commands() -> None:
    """What is to be done."""


@queue_commands.command()
@operation
def status(operate: Operation) -> None:
    """Show what is to be done, and what holds it up.

    \b
    Overdue views or an old outbox: no worker runs, or it cannot keep up.
    A closed gate: the provider does not answer, or wants to be paid.
    The bell does not answer: Redis is away; workers then look by the clock.

    Example: hairtryon queue status --json
    """  # noqa: D301 - click has to see the character itself
    _show(operate, operate.run(ShowQueueHandler, ShowQueue()))


@queue_commands.command()
@click.option(
    "--timeout",
    type=click.FloatRange(0, 86_400),
    default=_DEADLINE_SECONDS,
    show_default=True,
    help="How many seconds to wait.",
)
@click.option("--fail-rest", is_flag=True, help="Then fail what is still in progress, and give its credits back.")
@click.option("--reason", help="Why; with --fail-rest.")
@destructive
@operation
def drain(operate: Operation, timeout: float, fail_rest: bool, reason: str | None, yes: bool) -> None:
    """Wait until nothing is in progress; exit with 6, and say what is left, when that takes too long.

    Take the API out of service first: while it accepts, there is always something. Workers must run, for they do the
    work; stop them afterwards. Nothing is lost if you do not wait: what is accepted is in the database, and goes on
    with the next worker. What is announced for later (the removal of pictures, say) is not waited for.

    With --fail-rest, what is in progress when the time is up fails and can be retried by its owner, so that nobody's
    credits hang in the air while, at three in the morning, no worker can be brought up. It needs none itself: when all
    of them have ended it exits with 0, and announcements wait for the next worker.

    Example: hairtryon queue drain --timeout 120 --fail-rest --reason "database moves" --yes
    """
    if fail_rest and not reason:
        raise click.UsageError("Say why: --fail-rest needs a --reason.")
    if fail_rest:
        confirm(f"Fail whatever is in progress in {timeout:g} seconds?", yes=yes)
    told = ""

    def is_empty(status: QueueStatus) -> bool:
        nonlocal told
        if (left := _left(status.backlog)) != told:
            told = left
            click.echo(left, err=True)
        return status.backlog.is_empty

    found = operate.ask_until(ShowQueueHandler, ShowQueue(), is_empty, seconds=timeout)
    if fail_rest and found.backlog.views_open:
        failed = operate.run(FailOpenImagesHandler, FailOpenImages(reason or ""))
        click.echo(f"Failed {failed.views} views of {failed.images} try-ons.", err=True)
        found = operate.run(ShowQueueHandler, ShowQueue())
    if fail_rest and (waiting := found.backlog.outbox_due):
        click.echo(f"Announcements that wait for the next worker: {waiting}.", err=True)
    _show(operate, found)
    is_drained = found.backlog.views_open == 0 if fail_rest else found.backlog.is_empty
    if not is_drained:
        sys.exit(EXIT_CODES[Unavailable])


def _left(backlog: Backlog) -> str:
    return f"{backlog.views_open} views in progress, {backlog.outbox_due} announcements due"


def _show(operate: Operation, status: QueueStatus) -> None:
    backlog = status.backlog
    oldest = backlog.outbox_oldest_seconds
    better = {
        "views_of_last_hour": ", ".join(
            f"{count} {status}" for status, count in backlog.views_of_last_hour.items() if count
        )
        or "none",
        "outbox_oldest_seconds": None if oldest is None else round(oldest, 1),
        "gate": "open" if backlog.gate_closed_until is None else "closed",
    }
    operate.show_one(status, backlog=None, **(asdict(backlog) | better))
