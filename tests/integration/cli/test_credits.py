import json

import pytest

from domain.errors import Conflict, Failure, Forbidden, Invalid, NotFound, Throttled, Unavailable, Unprocessable
from presentation.cli.credits import credit_commands
from presentation.cli.operations import refuse
from tests.integration.cli.conftest import Terminal

ADA = "ada@example.com"
HELD = "UPDATE users SET credits_held = credits_held + 1"


@pytest.fixture
def ada(terminal: Terminal) -> Terminal:
    terminal.add_user(ADA)
    return terminal


def test_credits_are_given_and_the_new_balance_is_shown(ada: Terminal) -> None:
    """As a table for people."""
    given = ada.type(credit_commands, "grant", ADA, "5", "--reason", "a render was lost")
    assert (given.exit_code, given.stderr) == (0, "")
    for word in (ADA, "credits", "held", "available", "5"):
        assert word in given.stdout


def test_a_script_gets_json(ada: Terminal) -> None:
    """And nothing else on stdout."""
    ada.type(credit_commands, "grant", ADA, "5", "--reason", "x")
    given = ada.type(credit_commands, "grant", "1", "2", "--reason", "x", "--json")
    assert json.loads(given.stdout) == {
        "credits": 7,
        "credits_held": 0,
        "credits_frozen": 0,
        "credits_available": 7,
    }


@pytest.mark.parametrize(
    ("options", "environ", "name"),
    [
        (["--operator", "grace"], {"HAIRTRYON_OPERATOR": "root"}, "grace"),
        ([], {"HAIRTRYON_OPERATOR": "root"}, "root"),
        ([], {"HAIRTRYON_OPERATOR": "", "LOGNAME": "ubuntu"}, "ubuntu"),
    ],
)
def test_the_records_name_the_operator(ada: Terminal, options: list[str], environ: dict[str, str], name: str) -> None:
    """Who was named on the command line, else in the environment, else who is logged in."""
    ada.type(credit_commands, "grant", ADA, "5", "--reason", "a render was lost", *options, **environ)
    ada.execute(
        "DO $$ BEGIN ASSERT (SELECT (operator, reason, amount, cause) = "  # noqa: S608 - a test's own
        f"('{name}', 'a render was lost', 5, 'grant') FROM ledger_entries); END $$"
    )


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (["bob@example.com", "5", "--reason", "x"], 3, "user_not_found: There is no user bob@example.com."),
        (["9999999999999999999999", "5", "--reason", "x"], 3, "user_not_found"),
        (["0", "5", "--reason", "x"], 3, "user_not_found"),
        ([ADA, "5", "--reason", " "], 2, "validation_failed: Say why, for the records."),
        ([ADA, "5"], 2, "Missing option '--reason'"),
        ([ADA, "0", "--reason", "x"], 2, "not in the range"),
        ([ADA, "100001", "--reason", "x"], 2, "not in the range"),
        ([ADA, "2.5", "--reason", "x"], 2, "not a valid integer"),
        (["--reason", "x", "--", ADA, "-5"], 2, "not in the range"),
        ([ADA, "--reason", "x"], 2, "Missing argument 'AMOUNT'"),
    ],
)
def test_what_cannot_be_given_is_told_with_an_exit_code(
    ada: Terminal, words: list[str], exit_code: int, told: str
) -> None:
    """2 for what was typed wrongly, 3 for whom nobody knows; nothing on stdout, and nothing in the ledger."""
    refused = ada.type(credit_commands, "grant", *words)
    assert refused.exit_code == exit_code
    assert told in refused.stderr
    assert refused.stdout == ""
    ada.execute("DO $$ BEGIN ASSERT (SELECT count(*) = 0 FROM ledger_entries); END $$")


def test_credits_are_taken_back_and_the_history_says_by_whom(ada: Terminal) -> None:
    """Newest first, with the name and the reason of each; a page at a time."""
    ada.type(credit_commands, "grant", ADA, "5", "--reason", "lost", "--operator", "grace")
    taken = ada.type(credit_commands, "revoke", ADA, "2", "--reason", "too many", "--operator", "linus", "--json")
    assert json.loads(taken.stdout)["credits"] == 3
    told = json.loads(ada.type(credit_commands, "history", "1", "--limit", "1", "--json").stdout)
    (newest,) = told["items"]
    assert (newest["amount"], newest["cause"], newest["operator"], newest["reason"]) == (
        -2,
        "revoke",
        "linus",
        "too many",
    )
    older = ada.type(credit_commands, "history", ADA, "--cursor", told["next_cursor"])
    for word in ("+5", "grant", "grace", "lost"):
        assert word in older.stdout


def test_no_more_is_taken_back_than_is_there(ada: Terminal) -> None:
    """Exit code 4, and nothing in the books."""
    refused = ada.type(credit_commands, "revoke", ADA, "1", "--reason", "x")
    assert (refused.exit_code, refused.stdout) == (4, "")
    ada.execute("DO $$ BEGIN ASSERT (SELECT count(*) = 0 FROM audit_entries); END $$")


@pytest.mark.parametrize("change", ["UPDATE audit_entries SET operator = 'x'", "DELETE FROM audit_entries"])
def test_nobody_rewrites_the_audit_log(ada: Terminal, change: str) -> None:
    ada.type(credit_commands, "grant", ADA, "5", "--reason", "x")
    with pytest.raises(Exception, match="audit entries are never changed"):
        ada.execute(change)


def test_books_that_add_up_end_the_audit_with_0(ada: Terminal) -> None:
    ada.type(credit_commands, "grant", ADA, "5", "--reason", "x")
    audited = ada.type(credit_commands, "audit")
    assert audited.exit_code == 0
    assert "none" in audited.stdout


def test_books_that_do_not_add_up_end_it_with_1(ada: Terminal) -> None:
    """And the accounts are named, in the table and in JSON."""
    ada.execute(HELD)
    audited = ada.type(credit_commands, "audit")
    assert audited.exit_code == 1
    told = ada.type(credit_commands, "audit", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout) == {
        "accounts": 1,
        "entries": 0,
        "open_holds": 0,
        "differences": [
            {
                "user_id": 1,
                "credits": 0,
                "credits_recomputed": 0,
                "credits_held": 1,
                "credits_held_recomputed": 0,
                "credits_frozen": 0,
                "credits_frozen_recomputed": 0,
            }
        ],
        "holds_out_of_step": [],
        "payments_out_of_step": [],
    }


@pytest.mark.parametrize(
    ("failure", "exit_code"),
    [
        (Invalid, 2),
        (Unprocessable, 2),
        (NotFound, 3),
        (Conflict, 4),
        (Forbidden, 5),
        (Unavailable, 6),
        (Throttled, 1),
        (Failure, 1),
    ],
)
def test_each_kind_of_refusal_has_its_exit_code(
    failure: type[Failure], exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """And one line on stderr: its code for scripts, its words for people."""
    with pytest.raises(SystemExit) as end:
        refuse(failure("a_code", "Some words."))
    assert end.value.code == exit_code
    assert capsys.readouterr() == ("", "a_code: Some words.\n")
