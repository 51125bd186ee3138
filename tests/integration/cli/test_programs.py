"""The command as an operator's shell runs it: a program of its own, told by its environment."""

import inspect
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import click
import pytest
from click.testing import CliRunner

from bootstrap.cli import main
from tests.integration.cli.conftest import Terminal
from tests.servers import of_database

COMMANDS = [
    ["credits", "audit"],
    ["user", "list", "--json"],
    ["user", "promote", "ada@example.com", "--reason", "x"],
    ["db", "upgrade"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_says_when_no_stack_runs(terminal: Terminal, command: list[str]) -> None:
    """And what to do about it, with exit code 6."""
    refused = terminal.start(*command, environ={"HAIRTRYON_DATA": str(terminal.folder)})
    assert (refused.returncode, refused.stdout) == (6, "")
    assert "hairtryon dev" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_says_when_the_database_cannot_be_reached(terminal: Terminal, command: list[str]) -> None:
    """With exit code 6, in a line that names it."""
    away = terminal.environ | {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    refused = terminal.start(*command, environ=away)
    assert (refused.returncode, refused.stdout) == (6, "")
    assert "service_unavailable: The database" in refused.stderr
    assert "cannot be reached" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [["user", "list"], ["user", "promote", "ada@example.com", "--reason", "x"]])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"path": "/never_created"}, "never_created"),
        ({"netloc": "nobody:wrong@127.0.0.1:{port}"}, "nobody"),
        ({"netloc": "nobody@database.invalid:5432"}, "gaierror"),
    ],
    ids=["database", "user", "host"],
)
def test_a_command_says_what_is_wrong_with_the_database(
    terminal: Terminal, command: list[str], change: dict[str, str], told: str
) -> None:
    """Whether it reads or writes; customers are not told so much."""
    parts = urlsplit(terminal.database_url)
    changed = parts._replace(**{name: value.format(port=parts.port) for name, value in change.items()})
    refused = terminal.start(*command, environ=terminal.environ | {"DATABASE_URL": urlunsplit(changed)})
    assert (refused.returncode, refused.stdout) == (6, "")
    assert told in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_every_exit_code_is_met(terminal: Terminal) -> None:
    """What scripts branch on, from the commands themselves."""
    terminal.add_user("ada@example.com")
    terminal.execute("UPDATE users SET credits = 1")
    user, why = "ada@example.com", ["--reason", "x"]
    ended = {
        0: terminal.start("user", "show", user),
        1: terminal.start("credits", "audit"),
        2: terminal.start("user", "disable", user, "--reason", " "),
        3: terminal.start("user", "show", "bob@example.com"),
        4: terminal.start("user", "enable", user, *why),
        5: terminal.start("user", "disable", user, *why, "--operator", "user:1"),
        6: terminal.start(
            "user", "show", user, environ=terminal.environ | {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
        ),
    }
    assert {expected: program.returncode for expected, program in ended.items()} == {code: code for code in range(7)}
    assert [
        program.stderr for code, program in ended.items() if code > 1 and len(program.stderr.splitlines()) != 1
    ] == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("us", "user"), ("user dis", "disable"), ("user list --role ", "admin"), ("style im", "import")],
)
def test_a_shell_completes_commands_and_their_options(terminal: Terminal, typed: str, offered: str) -> None:
    """As bash asks, once its start-up file has evaluated what `bash_source` prints."""
    words = ["hairtryon", *typed.split(" ")]
    asked = {"_HAIRTRYON_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    completed = terminal.start(environ=asked)
    assert f"plain,{offered}" in completed.stdout.splitlines()
    sourced = terminal.start(environ={"_HAIRTRYON_COMPLETE": "bash_source"})
    assert "complete -o nosort -F _hairtryon_completion hairtryon" in sourced.stdout


def test_every_missing_setting_is_told_at_once(terminal: Terminal) -> None:
    """With exit code 2."""
    refused = terminal.start("credits", "audit", environ={"DATABASE_URL": terminal.database_url})
    assert refused.returncode == 2
    for name in ("REDIS_URL", "SECRET_KEY", "PSEUDONYM_KEY"):
        assert name in refused.stderr


def test_json_stands_alone_on_stdout(terminal: Terminal) -> None:
    """However much is logged."""
    asked = terminal.start("credits", "audit", "--json", environ=terminal.environ | {"LOG_LEVEL": "debug"})
    assert asked.returncode == 0
    assert json.loads(asked.stdout)["accounts"] == 0


def test_migrations_are_applied_checked_and_taken_back(terminal: Terminal, empty_database_url: str) -> None:
    """A database that is not up to date ends the check with 4."""
    environ = {"DATABASE_URL": empty_database_url}
    unready = terminal.start("db", "check", environ=environ)
    assert unready.returncode == 4
    assert "hairtryon db upgrade" in unready.stderr
    assert terminal.start("db", "upgrade", environ=environ).returncode == 0
    assert terminal.start("db", "check", environ=environ).returncode == 0
    assert terminal.start("db", "downgrade", "base", environ=environ).returncode == 0


def test_a_revision_that_is_not_there_is_told(terminal: Terminal) -> None:
    refused = terminal.start("db", "upgrade", "tomorrow")
    assert refused.returncode == 2
    assert "tomorrow" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_that_does_not_exist_is_told(terminal: Terminal) -> None:
    missing = {"DATABASE_URL": of_database(terminal.database_url, "never_created")}
    refused = terminal.start("db", "upgrade", environ=missing)
    assert refused.returncode == 6
    assert "never_created" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_dotenv_file_counts(terminal: Terminal) -> None:
    """For what the environment does not name."""
    lines = "".join(f"{name}={value}\n" for name, value in terminal.environ.items())
    Path(terminal.folder, ".env").write_text(lines)
    assert terminal.start("credits", "audit", environ={}).returncode == 0


def commands(group: click.Group, *names: str) -> Iterator[tuple[list[str], click.Command]]:
    """Every command below a group, and the words that it is called by."""
    for name, command in group.commands.items():
        yield [*names, name], command
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)


EVERY_COMMAND = [
    pytest.param(words, command, id=" ".join(words)) for words, command in commands(main) if words != ["sandbox"]
]
"""But the sandbox, which explains itself."""


@pytest.mark.parametrize(("words", "command"), [pytest.param([], main, id="hairtryon"), *EVERY_COMMAND])
def test_every_command_explains_itself(words: list[str], command: click.Command) -> None:
    """Without a word of what is meant for click; what is a command, and no group of them, with an example."""
    helped = CliRunner().invoke(main, [*words, "--help"], prog_name="hairtryon")
    assert helped.exit_code == 0
    assert helped.stdout.startswith(f"Usage: {' '.join(['hairtryon', *words])}")
    assert "\\b" not in helped.stdout
    assert "\b" not in helped.stdout
    assert isinstance(command, click.Group) or "Example: hairtryon" in helped.stdout


def test_help_keeps_its_lines_apart() -> None:
    """Exit codes and what to type for completion are a line each, on a narrow terminal too."""
    helped = CliRunner().invoke(main, ["--help"], prog_name="hairtryon", terminal_width=60)
    lines = [line.strip() for line in helped.stdout.splitlines()]
    assert 'bash  eval "$(_HAIRTRYON_COMPLETE=bash_source hairtryon)"' in lines
    assert "2 what was typed is not valid      5 not allowed" in lines


@pytest.mark.parametrize(
    ("words", "command"), [case for case in EVERY_COMMAND if not isinstance(case.values[1], click.Group)]
)
def test_every_command_shows_an_example_of_itself(
    words: list[str], command: click.Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that click can take in, its options being there, and that stands on a line of its own, to be copied."""
    example = inspect.cleandoc(command.help or "").partition("Example: hairtryon ")[2]
    helped = CliRunner().invoke(main, [*words, "--help"], prog_name="hairtryon", terminal_width=60)
    assert all(line in helped.stdout for line in example.splitlines())
    typed = shlex.split(example.partition(" < ")[0].replace("\\\n", " "))
    assert typed[: len(words)] == words
    monkeypatch.chdir(tmp_path)
    for word in typed:
        if word.startswith("@") or word.endswith(".jpg"):
            Path(word.removeprefix("@")).write_text("What the example reads.")
    command.make_context(words[-1], typed[len(words) :], resilient_parsing=False)
