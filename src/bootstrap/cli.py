"""The command `hairtryon`. What a command needs is imported when it runs, so that `--help` is quick."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from dishka import AsyncContainer

from bootstrap.settings import Settings, SettingsError, load_settings
from domain.errors import Failure, Unavailable
from presentation.cli.audit import audit_commands
from presentation.cli.credits import credit_commands
from presentation.cli.images import image_commands
from presentation.cli.operations import refuse
from presentation.cli.payments import payment_commands
from presentation.cli.queue import queue_commands
from presentation.cli.styles import style_commands
from presentation.cli.tokens import token_commands
from presentation.cli.users import user_commands

_USAGE = 2
_CONFLICT = 4
_UNAVAILABLE = 6

_HOST = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
_PORT = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port to listen on; 0: a free one.",
)


@click.group()
@click.version_option(package_name="hair-tryon", prog_name="hairtryon")
@click.pass_context
def main(context: click.Context) -> None:
    """Hair Try-On: a portrait and a hairstyle in, the same person with that hair out.

    \b
    Completion in your shell, from its start-up file:
      bash  eval "$(_HAIRTRYON_COMPLETE=bash_source hairtryon)"
      zsh   eval "$(_HAIRTRYON_COMPLETE=zsh_source hairtryon)"
      fish  _HAIRTRYON_COMPLETE=fish_source hairtryon | source

    \b
    Operators' commands end with 0, or with
      2 what was typed is not valid      5 not allowed
      3 there is no such thing           6 something behind is away
      4 the present state forbids it     1 anything else
    """  # noqa: D301 - click has to see the character itself
    context.obj = _open_container


@main.command()
@_HOST
@_PORT
def serve(host: str, port: int) -> None:
    """Run the HTTP API. SIGTERM has it finish what it has begun.

    Example: hairtryon serve --host 0.0.0.0 --port 8000
    """
    from bootstrap import http  # noqa: PLC0415

    settings = _settings(_environment())
    with _migrated():
        http.serve(settings, host=host, port=port)


@main.command()
def worker() -> None:
    """Run the worker that renders, mails and sweeps. SIGTERM has it finish what it has begun.

    Example: hairtryon worker
    """
    from bootstrap import worker  # noqa: PLC0415

    settings = _settings(_environment())
    with _migrated():
        worker.run(settings)


@main.command()
@_HOST
@_PORT
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="The stack's folder. [HAIRTRYON_DATA, var]"
)
@click.option("--reload", is_flag=True, help="Restart the API and the worker when the source changes.")
def dev(host: str, port: int, data: Path | None, reload: bool) -> None:
    """Run everything on this machine: servers, sandbox, API and worker.

    Example: hairtryon dev --port 8001 --data var/second
    """
    from bootstrap.stack import StackFolder, data_folder, run_dev  # noqa: PLC0415

    environ = _environment()
    folder = StackFolder(data) if data else data_folder(environ)
    sys.exit(run_dev(folder, environ, host=host, port=port, reload=reload))


@main.command()
@click.argument("photo", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path), required=False)
@click.argument("style", required=False)
def demo(photo: Path | None, style: str | None) -> None:
    """Play one customer's journey: PHOTO with the hair of STYLE, from four sides.

    Example: hairtryon demo me.jpg "Blunt Bob"
    """
    from bootstrap.demo import run_demo  # noqa: PLC0415

    sys.exit(run_demo(_environment(), photo=photo, style=style))


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox(arguments: tuple[str, ...]) -> None:
    """Play the outside services on this machine, for development."""
    os.execv(sys.executable, [sys.executable, "-P", "-m", "sandbox", *arguments])  # noqa: S606 - our own command line


class _Databases(click.Group):
    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except Failure as failure:
            refuse(failure)


@main.group(cls=_Databases)
def db() -> None:
    """Migrate the database: DATABASE_URL, or else that of the running stack."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Apply the migrations up to REVISION; without it, all of them.

    Example: hairtryon db upgrade
    """
    from bootstrap import migrations  # noqa: PLC0415

    migrations.upgrade(_database_url(), revision)


@db.command(context_settings={"ignore_unknown_options": True})  # -1 is no option
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the migrations back down to REVISION (`-1`: the last one; `base`: all).

    Example: hairtryon db downgrade -1
    """
    from bootstrap import migrations  # noqa: PLC0415

    migrations.downgrade(_database_url(), revision)


@db.command()
def check() -> None:
    """Say whether the database is what this version needs; exit with 4 when it is not.

    Example: hairtryon db check
    """
    from bootstrap import migrations  # noqa: PLC0415

    with _migrated():
        migrations.check(_database_url())


@db.command()
@click.argument("name")
def write(name: str) -> None:
    """Write a migration called NAME from what the mapping has and the database has not.

    Example: hairtryon db write wishes
    """
    from bootstrap import migrations  # noqa: PLC0415

    migrations.write(_database_url(), name)


def _open_container() -> AsyncContainer:
    """What operators' commands run in: the database of DATABASE_URL, or else that of the running stack."""
    from bootstrap.container import create_container  # noqa: PLC0415
    from bootstrap.stack import StackError, operator_environment  # noqa: PLC0415

    try:
        # What went well is in the answer: beside it, only what did not is worth a line.
        settings = _settings({"LOG_LEVEL": "warning"} | operator_environment(_environment()))
    except StackError as error:
        click.echo(error, err=True)
        sys.exit(_UNAVAILABLE)
    _look_at_schema(settings)
    return create_container(settings)


def _environment() -> dict[str, str]:
    """The environment with `.env` beneath it."""
    from bootstrap.stack.environment import read_environment  # noqa: PLC0415

    return read_environment(os.environ, Path.cwd())


def _settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings and begin to log as they say; every mistake in them is told, and ends the program."""
    from bootstrap.logging import configure_logging  # noqa: PLC0415

    try:
        settings = load_settings(environ)
        configure_logging(settings)
    except SettingsError as error:
        click.echo(error, err=True)
        sys.exit(_USAGE)
    return settings


def _look_at_schema(settings: Settings) -> None:
    """A database that is away is told of by the command itself, which has more to say about it."""
    from bootstrap import schema  # noqa: PLC0415

    with ThreadPoolExecutor(1) as away_from_any_loop, suppress(Unavailable), _migrated():
        away_from_any_loop.submit(asyncio.run, schema.look(settings.database_url)).result()


@contextmanager
def _migrated() -> Iterator[None]:
    """What needs a database with all migrations: one that lacks some is told of in a line, and ends the program."""
    from bootstrap.schema import MigrationsPending  # noqa: PLC0415

    try:
        yield
    except MigrationsPending as pending:
        click.echo(pending, err=True)
        sys.exit(_CONFLICT)


def _database_url() -> str:
    from bootstrap.stack import StackError, operator_environment  # noqa: PLC0415

    try:
        return operator_environment(_environment())["DATABASE_URL"]
    except StackError as error:
        click.echo(error, err=True)
        sys.exit(_UNAVAILABLE)


main.add_command(style_commands)
main.add_command(credit_commands)
main.add_command(payment_commands)
main.add_command(token_commands)
main.add_command(user_commands)
main.add_command(image_commands)
main.add_command(queue_commands)
main.add_command(audit_commands)

if __name__ == "__main__":
    main()
