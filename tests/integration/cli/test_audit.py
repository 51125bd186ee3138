import json
import re
from typing import Any

import pytest
from click.testing import Result

from presentation.cli.audit import audit_commands
from presentation.cli.credits import credit_commands
from presentation.cli.users import user_commands
from tests.integration.cli.conftest import Terminal

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def busy(terminal: Terminal) -> Terminal:
    """Grace has given Ada credits and shut out Bob; Root has let him in again."""
    for email in (ADA, BOB):
        terminal.add_user(email)
    grace, root = ("--operator", "grace"), ("--operator", "root")
    terminal.type(credit_commands, "grant", ADA, "5", "--reason", "a bad render", *grace)
    terminal.type(user_commands, "disable", BOB, "--reason", "card stolen", *grace)
    terminal.type(user_commands, "enable", BOB, "--reason", "a mistake", *root)
    return terminal


def shown(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_what_operators_did_is_shown(busy: Terminal) -> None:
    """Newest first, a line each, with who did it, to what, why and how."""
    lines = busy.type(audit_commands, "list").stdout.splitlines()
    told = [re.split(r"\s{2,}", line) for line in lines[1:]]
    assert [row[1:] for row in told] == [
        ["root", "user.enable", "user:2", "a mistake"],
        ["grace", "user.disable", "user:2", "card stolen"],
        ["grace", "credits.grant", "user:1", "a bad render", "amount 5"],
    ]


def test_they_are_listed_page_by_page(busy: Terminal) -> None:
    """People are told on stderr how to go on."""
    first = busy.type(audit_commands, "list", "--limit", "2")
    cursor = first.stderr.split()[-1]
    rest = shown(busy.type(audit_commands, "list", "--cursor", cursor, "--json"))
    assert ([entry["action"] for entry in rest["items"]], rest["next_cursor"]) == (["credits.grant"], None)


@pytest.mark.parametrize(
    ("only", "actions"),
    [
        (("--by", "root"), ["user.enable"]),
        (("--action", "user.disable"), ["user.disable"]),
        (("--subject", "user:2"), ["user.enable", "user.disable"]),
        (("--subject", "user:2", "--by", "grace"), ["user.disable"]),
        (("--by", "nobody"), []),
    ],
)
def test_they_are_found(busy: Terminal, only: tuple[str, ...], actions: list[str]) -> None:
    """By who, by which command, by what it was done to; to look leaves no entry itself."""
    found = shown(busy.type(audit_commands, "list", *only, "--json", "--operator", "root"))
    assert [entry["action"] for entry in found["items"]] == actions


def test_what_cannot_be_shown_is_told(busy: Terminal) -> None:
    assert busy.type(audit_commands, "list", "--cursor", "?").exit_code == 2
    assert busy.type(audit_commands, "list", "--limit", "0").exit_code == 2
    assert busy.type(audit_commands, "list", "--operator", "user:1").exit_code == 5
