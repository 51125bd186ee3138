"""The command as an operator's shell runs it: a program of its own, told by its environment."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bootstrap.cli import main
from tests.integration.cli.conftest import Terminal
from tests.servers import of_database

COMMANDS = [["credits", "audit"], ["db", "upgrade"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_says_when_no_stack_runs(terminal: Terminal, command: list[str]) -> None:
    """And what to do about it, with exit code 6."""
    refused = terminal.start(*command, environ={"HAIRTRYON_DATA": str(terminal.folder)})
    assert (refused.returncode, refused.stdout) == (6, "")
    assert "hairtryon dev" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_says_when_the_database_cannot_be_reached(terminal: Terminal, command: list[str]) -> None:
    """With exit code 6, in a line."""
    away = terminal.environ | {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    refused = terminal.start(*command, environ=away)
    assert (refused.returncode, refused.stdout) == (6, "")
    assert "service_unavailable: " in refused.stderr
    assert "Traceback" not in refused.stderr


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


@pytest.mark.parametrize(
    "command", [[], ["credits"], ["style"], ["db"], ["credits", "grant"], ["db", "upgrade"], ["serve"]], ids=" ".join
)
def test_every_command_explains_itself(command: list[str]) -> None:
    helped = CliRunner().invoke(main, [*command, "--help"], prog_name="hairtryon")
    assert helped.exit_code == 0
    assert helped.stdout.startswith(f"Usage: {' '.join(['hairtryon', *command])}")
