import io
import json
import stat
import zipfile
from typing import Any

import pytest
from click.testing import Result

from presentation.cli.users import user_commands
from tests.integration.cli.conftest import Terminal
from tests.servers import fetch

ADA = "ada@example.com"
WHY = ("--reason", "she asked")


@pytest.fixture
def ada(terminal: Terminal) -> Terminal:
    terminal.add_user(ADA)
    return terminal


def shown(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_accounts_are_listed_page_by_page(terminal: Terminal) -> None:
    """As a table for people, who are told on stderr how to go on, and as JSON for scripts."""
    for name in ("ada", "bob", "cyd"):
        terminal.add_user(f"{name}@example.com")
    listed = terminal.type(user_commands, "list", "--limit", "2")
    assert listed.exit_code == 0
    assert "cyd@example" in listed.stdout
    assert "ada@example" not in listed.stdout
    cursor = listed.stderr.split()[-1]
    rest = shown(terminal.type(user_commands, "list", "--cursor", cursor, "--json"))
    assert ([user["email"] for user in rest["items"]], rest["next_cursor"]) == ([ADA], None)
    found = shown(terminal.type(user_commands, "list", "--search", "BOB", "--enabled", "--role", "customer", "--json"))
    assert [user["id"] for user in found["items"]] == [2]


def test_a_list_with_nothing_in_it_says_so(terminal: Terminal) -> None:
    """To people, on stderr: an empty table looks like a mistake."""
    listed = terminal.type(user_commands, "list", "--search", "nobody")
    assert (listed.exit_code, listed.stderr) == (0, "Nothing was found.\n")
    assert terminal.type(user_commands, "list", "--json").stderr == ""


def test_where_nobody_can_answer_it_says_what_to_do(ada: Terminal) -> None:
    """In a script without a terminal: to a question as to a password."""
    asked = ada.type(user_commands, "delete", ADA, *WHY, typed="")
    assert asked.exit_code == 1
    assert asked.stderr.splitlines()[-1] == (
        "Nothing was done. Where nobody can answer, --yes does without the question."
    )
    refused = ada.type(user_commands, "delete", ADA, *WHY, typed="n\n")
    assert refused.stderr.splitlines()[-1] == "Nothing was done."
    unnamed = ada.type(user_commands, "create", "bob@example.com", "--name", "Bob", typed="")
    assert unnamed.exit_code == 2
    assert "--password-stdin" in unnamed.stderr


def test_a_name_that_looks_like_markup_is_a_name(ada: Terminal) -> None:
    ada.execute("UPDATE users SET name = '[/red] [link=https://evil.example]Ada[/link]'")
    for words in (("list",), ("show", ADA)):
        assert "[/red] [link=https://evil.example]Ada[/link]" in ada.type(user_commands, *words).stdout


@pytest.mark.parametrize("named", [ADA, "1"])
def test_an_account_is_shown_by_address_or_id(ada: Terminal, named: str) -> None:
    assert ADA in ada.type(user_commands, "show", named).stdout
    assert shown(ada.type(user_commands, "show", named, "--json"))["email"] == ADA


@pytest.mark.parametrize("options", [["--password-stdin"], []], ids=["from-stdin", "asked-for"])
def test_an_account_is_created_with_a_password_that_stands_on_no_command_line(
    terminal: Terminal, options: list[str]
) -> None:
    """Asked for twice, or read from stdin; it is verified, and JSON stands alone on stdout."""
    words = ("create", ADA, "--name", "Ada", "--json", *options)
    made = shown(terminal.type(user_commands, *words, typed="a long pass phrase\n" * 2))
    assert (made["email"], made["is_verified"], made["has_password"], made["credits"]) == (ADA, True, True, 0)
    ((kept,),) = fetch(terminal.database_url, "SELECT password_hash FROM users")
    assert kept.startswith("$argon2id$")


@pytest.mark.parametrize("typed", ["short\n", "password1\n", ""])
def test_a_password_that_is_none_makes_no_account(terminal: Terminal, typed: str) -> None:
    refused = terminal.type(user_commands, "create", ADA, "--name", "Ada", "--password-stdin", typed=typed)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert fetch(terminal.database_url, "SELECT 1 FROM users") == []


def test_an_address_has_one_account(ada: Terminal) -> None:
    refused = ada.type(user_commands, "create", ADA, "--name", "A", "--password-stdin", typed="a long pass phrase")
    assert (refused.exit_code, refused.stdout) == (4, "")


def test_a_disabled_account_is_shut_until_it_is_enabled(ada: Terminal) -> None:
    """Its sessions have ended; to disable it again is a conflict."""
    ada.execute(
        "INSERT INTO sessions (user_id, user_agent, ip, signed_in_by, counter, created_at, rotated_at, last_used_at) "
        "VALUES (1, '', '', 'password', 0, now(), now(), now())"
    )
    assert shown(ada.type(user_commands, "disable", ADA, *WHY, "--json"))["is_disabled"]
    assert fetch(ada.database_url, "SELECT 1 FROM sessions WHERE revoked_at IS NULL") == []
    assert ada.type(user_commands, "disable", ADA, *WHY).exit_code == 4
    assert not shown(ada.type(user_commands, "enable", ADA, *WHY, "--json"))["is_disabled"]


def test_a_customer_becomes_an_admin_and_a_customer_again(ada: Terminal) -> None:
    assert shown(ada.type(user_commands, "promote", ADA, *WHY, "--json"))["role"] == "admin"
    assert shown(ada.type(user_commands, "promote", ADA, "--undo", *WHY, "--json"))["role"] == "customer"


def test_a_sign_up_whose_mail_was_lost_is_verified(terminal: Terminal) -> None:
    """With the free credits that the link would have brought."""
    terminal.execute(
        "INSERT INTO registrations (email, name, password_hash, token_seed, token_hash, created_at) "
        "VALUES ('ada@example.com', 'Ada', 'a hash', 'x', 'y', now())"
    )
    made = shown(terminal.type(user_commands, "verify", ADA, *WHY, "--json"))
    assert (made["email"], made["is_verified"], made["has_password"], made["credits"]) == (ADA, True, True, 3)
    assert fetch(terminal.database_url, "SELECT 1 FROM registrations") == []
    assert terminal.type(user_commands, "verify", "bob@example.com", *WHY).exit_code == 3


def test_an_account_is_erased_when_the_operator_says_yes(ada: Terminal) -> None:
    """Asked on stderr; whoever says no, or nothing, erases nobody."""
    for typed in ("n\n", ""):
        refused = ada.type(user_commands, "delete", ADA, *WHY, typed=typed)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert f"Erase {ADA}" in refused.stderr
    assert shown(ada.type(user_commands, "delete", ADA, *WHY, "--json", typed="y\n")) == {"id": 1}
    assert ada.type(user_commands, "delete", ADA, *WHY, "--yes").exit_code == 3
    (row,) = fetch(ada.database_url, "SELECT email, (SELECT job FROM outbox) FROM users")
    assert tuple(row) == ("erased-1@erased.invalid", "erase_works")
    listed = shown(ada.type(user_commands, "list", "--erased", "--json"))
    assert [user["id"] for user in listed["items"]] == [1]


def test_what_operators_do_stands_in_the_audit_log(ada: Terminal) -> None:
    """Once for each deed, with the name and the reason, and without what is to be forgotten."""
    for command in ("disable", "enable", "promote"):
        ada.type(user_commands, command, ADA, *WHY, "--operator", "grace")
    ada.type(user_commands, "delete", ADA, *WHY, "--operator", "grace", "--yes")
    rows = fetch(ada.database_url, "SELECT action, operator, reason, subject, details::text FROM audit_entries")
    assert [row[0] for row in rows] == ["user.disable", "user.enable", "user.promote", "user.delete"]
    assert {tuple(row[1:4]) for row in rows} == {("grace", "she asked", "user:1")}
    assert ADA not in str(rows)


def test_nobody_does_it_under_the_name_of_an_account(ada: Terminal) -> None:
    refused = ada.type(user_commands, "promote", ADA, *WHY, "--operator", "user:1")
    assert (refused.exit_code, refused.stdout) == (5, "")


def test_everything_about_somebody_is_written_into_an_archive(ada: Terminal) -> None:
    """That only its owner may read, and that is there as a whole or not at all."""
    file = ada.folder / "ada.zip"
    written = shown(ada.type(user_commands, "export", ADA, str(file), *WHY, "--json"))
    assert written == {"file": str(file), "size": file.stat().st_size}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("profile.json"))["email"] == ADA
    before = file.read_bytes()
    assert ada.type(user_commands, "export", ADA, str(file), *WHY, typed="n\n").exit_code == 1
    assert ada.type(user_commands, "export", "bob@example.com", str(file), *WHY, "--yes").exit_code == 3
    assert file.read_bytes() == before
    assert [path.name for path in ada.folder.iterdir() if path.is_file()] == ["ada.zip"]


def test_an_archive_that_cannot_be_written_is_told(ada: Terminal) -> None:
    """Before anything is read."""
    refused = ada.type(user_commands, "export", ADA, str(ada.folder / "missing" / "ada.zip"), *WHY)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "missing" in refused.stderr
    assert fetch(ada.database_url, "SELECT 1 FROM audit_entries") == []
