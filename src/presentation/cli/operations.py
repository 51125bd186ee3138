"""How an operator's command reaches a handler, and how its outcome is shown."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import update_wrapper
from getpass import getuser
from typing import Any, NoReturn, TypeVar

import click
import msgspec
from dishka import AsyncContainer
from msgspec import Struct
from rich.console import Console
from rich.text import Text

from application.actor import Actor
from application.pages import DEFAULT_LIMIT, LARGEST_LIMIT, Page
from domain.errors import Conflict, Failure, Forbidden, Invalid, NotFound, Unavailable, Unprocessable
from presentation.cli.tables import for_programs, show_on_terminal

Result = TypeVar("Result")
Made = TypeVar("Made")
Handler = type[Callable[..., Awaitable[Result]]]
Command = TypeVar("Command", bound=Callable[..., Any])
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
_AWAY = {"service_unavailable": "The database of DATABASE_URL, or of the running stack, cannot be reached."}
"""What customers are not told so plainly."""


class OneOf(click.Choice[Any]):
    """An option that is one of an enumeration's words, in whatever case; click would have the names of its members."""

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__(words, case_sensitive=False)

    def normalize_choice(self, choice: Any, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's shape
        return str(choice).casefold()


class Operation:
    """One operator's command: who runs it, where, and how its outcome is to be shown."""

    def __init__(self, open_container: OpenContainer, *, operator: str | None, as_json: bool) -> None:
        self._open_container = open_container
        self._as_json = as_json
        self._actor = Actor.operator(operator or os.environ.get("HAIRTRYON_OPERATOR") or _login_name())

    def run(self, handler: Handler[Result], command: object, **about: object) -> Result:
        """Have the handler answer; what it refuses ends the program with a line on stderr and the category's code."""

        async def as_it_is(result: Result) -> Result:
            return result

        return self.use(handler, command, as_it_is, **about)

    def ask_until(
        self,
        handler: Handler[Result],
        query: object,
        satisfied: Callable[[Result], bool],
        *,
        seconds: float,
        pause: float = 1.0,
    ) -> Result:
        """As `run`, again and again until the answer satisfies or so many seconds have passed; the last answer."""

        async def answer() -> Result:
            end = time.monotonic() + seconds
            container = self._open_container()
            try:
                while True:
                    async with container() as scope:
                        result: Result = await (await scope.get(handler))(query, self._actor)
                    if satisfied(result) or time.monotonic() >= end:
                        return result
                    await asyncio.sleep(min(pause, max(0.0, end - time.monotonic())))
            finally:
                await container.close()

        return _run(answer())

    def use(
        self, handler: Handler[Result], command: object, make: Callable[[Result], Awaitable[Made]], **about: object
    ) -> Made:
        """As `run`; `make` turns the answer into something else while all that it may need is still open."""

        async def answer() -> Made:
            container = self._open_container()
            try:
                async with container() as scope:
                    handle = await scope.get(handler)
                    return await make(await handle(command, self._actor, **about))
            finally:
                await container.close()

        return _run(answer())

    def show(self, result: Struct, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table for people, or the whole result as JSON for scripts."""
        if self._as_json:
            click.echo(msgspec.json.format(msgspec.json.encode(result)))
            return
        # As text: what looks like markup in a customer's name is their name.
        cells = [[Text(_cell(value)) for value in row] for row in rows]
        if sys.stdout.isatty():
            show_on_terminal(Console(), columns, cells)
        else:
            click.echo(for_programs(columns, cells))

    def show_page(self, page: Page[Any], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """As `show`; people are told on stderr how the list goes on, or that there is nothing in it."""
        self.show(page, columns, rows)
        if not page.items:
            self.tell("Nothing was found.")
        if page.next_cursor is not None:
            self.tell(f"There is more: --cursor {page.next_cursor}")

    def tell(self, line: str) -> None:
        """Say something to people, on stderr; scripts have the JSON."""
        if not self._as_json:
            click.echo(line, err=True)

    def show_one(self, result: Struct, **more: object) -> None:
        """Print what there is about one thing, a line each, and then `more`, which a table can show better.

        What is None is left out.
        """
        fields = {name: getattr(result, name) for name in result.__struct_fields__ if name not in more} | more
        rows = [(name.replace("_", " "), value) for name, value in fields.items() if value is not None]
        self.show(result, ["what", "is"], rows)


def _run(answer: Coroutine[Any, Any, Result]) -> Result:
    try:
        return asyncio.run(answer)
    except Failure as failure:
        refuse(failure)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return moment(value)
    return str(value)


def moment(at: datetime) -> str:
    """A time as tables show it: UTC, to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%SZ")


def _login_name() -> str:
    try:
        return getuser()
    except (KeyError, OSError) as nameless:  # a user id without a name, as in containers
        raise click.UsageError("Say who you are: --operator NAME, or HAIRTRYON_OPERATOR.") from nameless


def refuse(failure: Failure) -> NoReturn:
    """End the program with a line on stderr and the category's exit code.

    Operators are told, as customers are not, who is away and what was behind it.
    """
    cause = failure.__cause__ if isinstance(failure, Unavailable) else None
    behind = f" ({type(cause).__name__}: {' '.join(str(cause).split())})" if cause else ""
    detail = _AWAY.get(failure.code, failure.detail) if cause else failure.detail
    click.echo(f"{failure.code}: {detail}{behind}", err=True)
    codes = [EXIT_CODES[category] for category in type(failure).__mro__ if category in EXIT_CODES]
    sys.exit(codes[0] if codes else OTHERWISE)


def operation(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all operators' commands have, and an `Operation` as its first argument."""

    def with_operation(open_container: OpenContainer, /, operator: str | None, as_json: bool, **options: Any) -> None:
        command(Operation(open_container, operator=operator, as_json=as_json), **options)

    update_wrapper(with_operation, command)
    with_operation.__doc__ = _with_example_on_a_line(command.__doc__ or "")
    named = click.option("--operator", metavar="NAME", help="Your name for the records. [HAIRTRYON_OPERATOR, login]")
    shown = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
    return named(shown(click.pass_obj(with_operation)))


def _with_example_on_a_line(explained: str) -> str:
    """Or click would wrap it, and a shell would run the half of it that somebody has copied."""
    before, example, command = explained.partition("Example: ")
    return f"{before}\b\n    {example}{command}" if example else explained


def paged(command: Command) -> Command:
    """Give a command the options of a list that is shown page by page."""
    limit = click.option(
        "--limit",
        type=click.IntRange(1, LARGEST_LIMIT),
        default=DEFAULT_LIMIT,
        show_default=True,
        help="How many at most.",
    )
    return limit(click.option("--cursor", help="Where the page before ended: its `next_cursor`.")(command))


def reasoned(command: Command) -> Command:
    """Give a command the reason that it must have."""
    return click.option("--reason", required=True, help="Why; kept in the audit log beside your name.")(command)


def destructive(command: Command) -> Command:
    """Give a command the option to ask no questions; it calls `confirm` before it destroys anything."""
    return click.option("--yes", is_flag=True, help="Ask no questions.")(command)


def confirm(question: str, *, yes: bool) -> None:
    """Go on if the operator says so, at once with `--yes`; otherwise the program ends with 1."""
    if yes:
        return
    hint = ""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:  # Ctrl-C, or nobody there
        agreed, hint = False, " Where nobody can answer, --yes does without the question."
        click.echo(err=True)
    if not agreed:
        click.echo(f"Nothing was done.{hint}", err=True)
        sys.exit(OTHERWISE)
