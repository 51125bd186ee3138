"""Operators' commands about accounts."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import click
from msgspec import Struct

from application.users.belongings import ExportedFile
from application.users.change_role import ChangeRole, ChangeRoleHandler
from application.users.create_user import CreateUser, CreateUserHandler
from application.users.disable_user import DisableUser, DisableUserHandler
from application.users.enable_user import EnableUser, EnableUserHandler
from application.users.erase_user import EraseUser, EraseUserHandler
from application.users.export_named_user import ExportNamedUser, ExportNamedUserHandler
from application.users.list_users import ListUsers, ListUsersHandler
from application.users.ports import UserFilter
from application.users.show_user import ShowUser, ShowUserHandler
from application.users.verify_user import VerifyUser, VerifyUserHandler
from domain.users import PASSWORD_LENGTH, Role
from presentation.archives import zipped
from presentation.cli.operations import (
    OneOf,
    Operation,
    confirm,
    destructive,
    operation,
    paged,
    reasoned,
)

_PART = ".part"
"""What a file is called while it is being written."""


@click.group("user")
def user_commands() -> None:
    """Accounts of customers and admins."""


@user_commands.command("list")
@click.option("--search", help="A part of the address or the name.")
@click.option("--role", type=OneOf(Role), help="Only these.")
@click.option("--verified/--unverified", default=None, help="Only those whose address is proved, or is not.")
@click.option("--disabled/--enabled", default=None, help="Only those that are shut, or are not.")
@click.option("--erased", is_flag=True, help="The pseudonyms of erased accounts instead.")
@paged
@operation
def list_(
    operate: Operation,
    search: str | None,
    role: Role | None,
    verified: bool | None,
    disabled: bool | None,
    erased: bool,
    limit: int,
    cursor: str | None,
) -> None:
    """Show accounts, newest first.

    Example: hairtryon user list --search example.com --disabled
    """
    only = UserFilter(search, role, verified, disabled, erased)
    page = operate.run(ListUsersHandler, ListUsers(limit, cursor, only))
    rows = [
        (
            user.id,
            user.email,
            user.name,
            user.role,
            user.is_verified,
            user.is_disabled,
            user.credits,
            user.created_at,
        )
        for user in page.items
    ]
    operate.show_page(page, ["id", "email", "name", "role", "verified", "disabled", "credits", "since"], rows)


@user_commands.command()
@click.argument("email_or_id")
@operation
def show(operate: Operation, email_or_id: str) -> None:
    """Show what there is about an account, without its pictures.

    Example: hairtryon user show ada@example.com
    """
    operate.show_one(operate.run(ShowUserHandler, ShowUser(email_or_id)))


@user_commands.command()
@click.argument("email")
@click.option("--name", required=True, help="As mails address them.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin instead of asking for it.")
@operation
def create(operate: Operation, email: str, name: str, password_stdin: bool) -> None:
    """Make an account whose address needs no proof. It gets no free credits.

    Example: hairtryon user create ada@example.com --name Ada --password-stdin < password.txt
    """
    password = _read_password() if password_stdin else _ask_password()
    operate.show_one(operate.run(CreateUserHandler, CreateUser(email, name, password)))


@user_commands.command()
@click.argument("email")
@reasoned
@operation
def verify(operate: Operation, email: str, reason: str) -> None:
    """Turn a sign-up whose mail did not arrive into an account, as its link would. You vouch for the address.

    Where several sign-ups of the address wait, nobody's password is trusted: the customer then chooses one by
    "forgot password".

    Example: hairtryon user verify ada@example.com --reason "mail lost; she called from the number on file"
    """
    operate.show_one(operate.run(VerifyUserHandler, VerifyUser(email, reason)))


@user_commands.command()
@click.argument("email_or_id")
@reasoned
@operation
def disable(operate: Operation, email_or_id: str, reason: str) -> None:
    """Shut an account: its sessions end at once, and nothing opens it until `user enable`.

    Example: hairtryon user disable ada@example.com --reason "card reported stolen"
    """
    operate.show_one(operate.run(DisableUserHandler, DisableUser(email_or_id, reason)))


@user_commands.command()
@click.argument("email_or_id")
@reasoned
@operation
def enable(operate: Operation, email_or_id: str, reason: str) -> None:
    """Open a disabled account again.

    Example: hairtryon user enable ada@example.com --reason "the bank says it was a mistake"
    """
    operate.show_one(operate.run(EnableUserHandler, EnableUser(email_or_id, reason)))


@user_commands.command()
@click.argument("email_or_id")
@click.option("--undo", is_flag=True, help="Make an admin a customer again.")
@reasoned
@operation
def promote(operate: Operation, email_or_id: str, undo: bool, reason: str) -> None:
    """Make a customer an admin, who may do by the admin API what operators do here.

    Example: hairtryon user promote grace@example.com --reason "joins customer care"
    """
    role = Role.CUSTOMER if undo else Role.ADMIN
    operate.show_one(operate.run(ChangeRoleHandler, ChangeRole(email_or_id, role, reason)))


@user_commands.command()
@click.argument("email_or_id")
@reasoned
@destructive
@operation
def delete(operate: Operation, email_or_id: str, reason: str, yes: bool) -> None:
    """Erase an account for good: its sign-ins at once, its pictures and records by the worker within minutes.

    The ledger stays, under a pseudonym. REASON stays too: put no personal data into it.

    Example: hairtryon user delete ada@example.com --reason "asked for it by mail on 3 May"
    """
    confirm(f"Erase {email_or_id} and all their pictures, for good?", yes=yes)
    operate.show_one(operate.run(EraseUserHandler, EraseUser(email_or_id, reason)))


class Archive(Struct, frozen=True):
    file: str
    size: int
    """Bytes."""


@user_commands.command()
@click.argument("email_or_id")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@reasoned
@destructive
@operation
def export(operate: Operation, email_or_id: str, file: Path, reason: str, yes: bool) -> None:
    """Write everything that is kept about somebody into FILE, a ZIP archive that only you may read.

    Example: hairtryon user export ada@example.com ada.zip --reason "asked for it by mail on 3 May"
    """
    if file.exists():
        confirm(f"Overwrite {file}?", yes=yes)

    part = file.with_name(file.name + _PART)
    with _opened(part, file) as archive:

        async def write(files: AsyncIterator[ExportedFile]) -> int:
            return sum([archive.write(piece) async for piece in zipped(files)])

        try:
            size = operate.use(ExportNamedUserHandler, ExportNamedUser(email_or_id, reason), write)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    operate.show_one(Archive(str(file), size))


def _opened(part: Path, file: Path) -> BinaryIO:
    try:
        return open(part, "wb", opener=lambda path, flags: os.open(path, flags, 0o600))
    except OSError as fault:
        raise click.UsageError(f"{file} cannot be written: {fault.strerror}") from fault


def _ask_password() -> str:
    try:
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    except click.Abort as silence:
        click.echo(err=True)
        raise click.UsageError("No password was typed; --password-stdin reads it from stdin.") from silence
    return _checked(password)


def _read_password() -> str:
    return _checked(sys.stdin.readline().rstrip("\r\n"))


def _checked(password: str) -> str:
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        raise click.UsageError(f"A password has {shortest} to {longest} characters.")
    return password
