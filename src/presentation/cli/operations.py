"""How an operator's command reaches a handler, and how its outcome is shown."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import update_wrapper
from getpass import getuser
from typing import Any, NoReturn, TypeVar

import click
import msgspec
from dishka import AsyncContainer
from msgspec import Struct
from rich.console import Console
from rich.table import Column, Table

from application.actor import Actor
from domain.errors import Conflict, Failure, Forbidden, Invalid, NotFound, Unavailable, Unprocessable

Result = TypeVar("Result")
OpenContainer = Callable[[], AsyncContainer]

EXIT_CODES: dict[type[Failure], int] = {
    Invalid: 2,
    Unprocessable: 2,
    NotFound: 3,
    Conflict: 4,
    Forbidden: 5,
    Unavailable: 6,
}
OTHERWISE = 1


class Operation:
    """One operator's command: who runs it, where, and how its outcome is to be shown."""

    def __init__(
        self, open_container: OpenContainer, *, operator: str | None, as_json: bool, yes: bool = False
    ) -> None:
        self._open_container = open_container
        self._as_json = as_json
        self._yes = yes
        self._actor = Actor.operator(operator or os.environ.get("HAIRTRYON_OPERATOR") or _login_name())

    def run(self, handler: type[Callable[..., Awaitable[Result]]], command: object, **details: object) -> Result:
        """Have the handler answer; what it refuses ends the program with a line on stderr and the category's code."""

        async def answer() -> Result:
            container = self._open_container()
            try:
                async with container() as scope:
                    handle = await scope.get(handler)
                    result: Result = await handle(command, self._actor, **details)
                    return result
            finally:
                await container.close()

        try:
            return asyncio.run(answer())
        except Failure as failure:
            refuse(failure)

    def confirm(self, question: str) -> None:
        """Go on if the operator says so, on the terminal or by `--yes`; end the program otherwise."""
        if not self._yes:
            click.confirm(question, abort=True, err=True)

    def say(self, text: str) -> None:
        """Tell people something beside a table; scripts get it in their JSON."""
        if not self._as_json:
            click.echo(text)

    def show(self, result: Struct, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table for people, or the whole result as JSON for scripts."""
        if self._as_json:
            click.echo(msgspec.json.format(msgspec.json.encode(result)))
            return
        table = Table(*(Column(name, overflow="fold") for name in columns))
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        Console().print(table)


def moment(at: datetime | None) -> str:
    """A time as tables show it: UTC, to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _login_name() -> str:
    try:
        return getuser()
    except (KeyError, OSError) as nameless:  # a user id without a name, as in containers
        raise click.UsageError("Say who you are: --operator NAME, or HAIRTRYON_OPERATOR.") from nameless


def refuse(failure: Failure) -> NoReturn:
    """End the program with a line on stderr and the category's exit code."""
    click.echo(f"{failure.code}: {failure.detail}", err=True)
    codes = [EXIT_CODES[category] for category in type(failure).__mro__ if category in EXIT_CODES]
    sys.exit(codes[0] if codes else OTHERWISE)


def operation(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all operators' commands have, and an `Operation` as its first argument."""

    def with_operation(
        open_container: OpenContainer, /, operator: str | None, as_json: bool, yes: bool = False, **options: Any
    ) -> None:
        command(Operation(open_container, operator=operator, as_json=as_json, yes=yes), **options)

    update_wrapper(with_operation, command)
    named = click.option("--operator", metavar="NAME", help="Your name for the records. [HAIRTRYON_OPERATOR, login]")
    shown = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
    return named(shown(click.pass_obj(with_operation)))


def confirmed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that asks before it acts the option not to be asked."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(command)
