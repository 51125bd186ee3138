"""An operator at a terminal: commands in this process, over the test's own database, or as programs of their own."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner, Result
from dishka import Provider

from bootstrap.container import create_container
from bootstrap.settings import load_settings
from tests.servers import execute

HAIRTRYON = Path(sys.executable).with_name("hairtryon")


class Terminal:
    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.folder = folder
        self.overrides: list[Provider] = []
        """What commands in this process find in place of the outside."""
        self.environ = {
            "HAIRTRYON_ENV": "test",
            "DATABASE_URL": database_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "PUBLIC_URL": "https://api.example.com",
            "MEDIA_DIR": str(folder / "media"),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "PSEUDONYM_KEY": secrets.token_urlsafe(48),
        }

    def type(self, group: click.Group, *words: str, typed: str = "", **environ: str) -> Result:
        """Run a command of a group, as `hairtryon` would, on these settings; `typed` is what it reads from stdin."""
        settings = load_settings(self.environ)
        with structlog.testing.capture_logs():  # the program itself logs to stderr
            return CliRunner().invoke(
                group, words, typed, obj=lambda: create_container(settings, *self.overrides), env=environ
            )

    def start(self, *words: str, environ: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run `hairtryon` as a program, with these settings and no others."""
        given = self.environ if environ is None else environ
        surroundings = {"PATH": os.environ["PATH"], **{n: v for n, v in os.environ.items() if n.startswith("COVERAGE")}}
        return subprocess.run(  # noqa: S603 - our own command line
            [HAIRTRYON, *words], env=surroundings | given, cwd=self.folder, capture_output=True, text=True, check=False
        )

    def execute(self, *statements: str) -> None:
        execute(self.database_url, *statements)

    def add_user(self, email: str) -> None:
        self.execute(
            "INSERT INTO users (email, name, role, is_verified, is_disabled, created_at) "  # noqa: S608 - a test's own
            f"VALUES ('{email}', 'Ada', 'customer', true, false, now())"
        )


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path)
