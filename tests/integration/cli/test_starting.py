"""A program that cannot start says in a line what to do, and ends with a code of its own."""

from pathlib import Path

import pytest

from bootstrap import migrations, schema
from tests.integration.cli.conftest import Terminal
from tests.servers import execute, fetch

HIDDEN = "hunter2"
PROGRAMS = [["serve", "--port", "0"], ["worker"], ["user", "list"], ["credits", "audit", "--json"]]


@pytest.mark.parametrize("program", PROGRAMS, ids=" ".join)
@pytest.mark.parametrize("found", ["has no tables", "is at revision"])
def test_a_migration_that_was_not_run_ends_the_start(
    terminal: Terminal, empty_database_url: str, program: list[str], found: str
) -> None:
    """With 4, whether none was run or the last one is missing; nothing is written to that database."""
    if found == "is at revision":
        migrations.upgrade(empty_database_url, schema.revisions()[-2])
    refused = terminal.start(*program, environ=terminal.environ | {"DATABASE_URL": empty_database_url})
    assert (refused.returncode, refused.stdout) == (4, "")
    told = [line for line in refused.stderr.splitlines() if not line.startswith("{")]
    assert len(told) == 1
    assert found in told[0]
    assert told[0].endswith("run `hairtryon db upgrade`.")


def test_a_database_that_is_ahead_will_do(terminal: Terminal) -> None:
    """While a deployment is under way, the version before works on the new tables."""
    execute(terminal.database_url, "UPDATE alembic_version SET version_num = '9999'")
    assert terminal.start("credits", "audit").returncode == 0


def test_the_revisions_are_those_that_alembic_knows(database_url: str) -> None:
    """They are read from the names of the files, and the last one is where a migrated database is."""
    (row,) = fetch(database_url, schema.REVISION)
    assert row["version_num"] == schema.revisions()[-1]


@pytest.mark.parametrize("program", PROGRAMS, ids=" ".join)
def test_every_bad_setting_is_told_at_once(terminal: Terminal, program: list[str]) -> None:
    """A line each, with the variable's name and what it should be, and 2; no secret is shown."""
    bad = {
        "DATABASE_URL": "mysql://root:" + HIDDEN + "@db/app",
        "REDIS_URL": "localhost:6379",
        "SECRET_KEY": HIDDEN,
        "PUBLIC_URL": "api.example.com",
        "STORAGE": "ftp",
        "POLL_SECONDS": "soon",
        "GENERATION_MAX_ATTEMPTS": "0",
        "RATE_LIMIT_GENERATE": "5 a minute",
        "TRUSTED_PROXIES": "0.0.0.0/0",
        "LOG_LEVEL": "loud",
        "MAIL_FROM": "Ada <ada@example.com>",
        "GOOGLE_CLIENT_ID": "half-an-account",
    }
    refused = terminal.start(*program, environ=terminal.environ | bad)
    assert (refused.returncode, refused.stdout) == (2, "")
    lines = refused.stderr.splitlines()
    assert {line.split()[0] for line in lines} == bad.keys() - {"GOOGLE_CLIENT_ID"} | {"GOOGLE_CLIENT_SECRET"}
    assert all(" should be " in line or " is missing" in line for line in lines)
    assert HIDDEN not in refused.stderr


@pytest.mark.parametrize("program", PROGRAMS, ids=" ".join)
def test_a_log_file_that_cannot_be_ends_the_start(terminal: Terminal, tmp_path: Path, program: list[str]) -> None:
    """A folder in its place, or a file in the place of its folder: 2, and a line that names the file."""
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "api.log"):
        refused = terminal.start(*program, environ=terminal.environ | {"LOG_FILE": str(place)})
        assert (refused.returncode, refused.stdout) == (2, "")
        (line,) = refused.stderr.splitlines()
        assert line.startswith("LOG_FILE should be a file that can be written")
        assert str(place) in line


def test_a_folder_for_the_log_is_made(terminal: Terminal, tmp_path: Path) -> None:
    log = tmp_path / "a" / "b" / "hairtryon.log"
    done = terminal.start("credits", "audit", environ=terminal.environ | {"LOG_FILE": str(log)})
    assert done.returncode == 0
    assert log.exists()
