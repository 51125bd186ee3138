"""What is measured: the real API and the floor, over one database with 100,000 images. All of it ends with the run."""

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import cores, data
from benchmarks.load import HOST
from bootstrap import migrations
from bootstrap.embedded import free_port, start_postgres, start_valkey
from bootstrap.reaper import Reaper
from bootstrap.stack.child import Child, hairtryon

_START_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.05
_NEVER_REACHED = "1000000/second"


@dataclass(frozen=True)
class Rig:
    folder: Path
    environ: Mapping[str, str]
    reaper: Reaper

    @contextmanager
    def api(self, place: cores.Cores) -> Iterator[int]:
        """Run `hairtryon serve` with everything on; yields its port."""
        port = free_port()
        with self._running("api", hairtryon("serve", "--port", str(port)), port, place):
            yield port

    @contextmanager
    def floor(self, place: cores.Cores) -> Iterator[int]:
        """Run the floor; yields its port."""
        port = free_port()
        with self._running("floor", [sys.executable, "-m", "benchmarks.floor", str(port)], port, place):
            yield port

    @contextmanager
    def _running(self, name: str, command: list[str], port: int, place: cores.Cores) -> Iterator[None]:
        log = self.folder / f"{name}.output"
        child = Child(name, command, environ=self.environ, log=log, reaper=self.reaper)
        with cores.on(place):
            child.start()
        try:
            _wait_for(child, port)
            yield
        finally:
            child.stop()


@contextmanager
def open_rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="hairtryon-bench-")))
        stack.enter_context(chdir(folder))  # no `.env` there
        reaper = Reaper()
        stack.callback(reaper.close)
        with cores.on(cores.OTHERS):
            postgres = start_postgres(folder / "postgres", durable=False, reaper=reaper)
            stack.callback(postgres.stop)
            valkey = start_valkey(folder / "valkey", durable=False, reaper=reaper)
            stack.callback(valkey.stop)
        rig = Rig(folder, _environment(folder, postgres.url, valkey.url), reaper)
        migrations.upgrade(postgres.url)
        subprocess.run(  # noqa: S603 - our own command line
            hairtryon("style", "import"), env=rig.environ, check=True, stdout=subprocess.DEVNULL
        )
        asyncio.run(data.populate(postgres.url))
        yield rig


def _environment(folder: Path, database_url: str, redis_url: str) -> dict[str, str]:
    """The settings of a production process, but for limits that a benchmark must not reach."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HAIRTRYON_ENV": "test",
        "HAIRTRYON_DATA": str(folder),
        "HAIRTRYON_OPERATOR": "benchmark",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "https://api.example.com",
        "FRONTEND_URL": "https://www.example.com",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "PSEUDONYM_KEY": secrets.token_urlsafe(48),
        "ACCESS_TOKEN_MINUTES": "120",
        "RATE_LIMIT_DEFAULT": _NEVER_REACHED,
        "RATE_LIMIT_AUTH": _NEVER_REACHED,
        "STORAGE": "disk",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "info",
        "LOG_FILE": str(folder / "api.log"),
    }


def _wait_for(child: Child, port: int) -> None:
    """Return when it listens; `RuntimeError` with what it wrote when it does not."""
    deadline = time.monotonic() + _START_SECONDS
    while child.running and time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            time.sleep(_LOOK_AGAIN_SECONDS)
        else:
            return
    raise RuntimeError(f"The {child.name} does not start:\n{child.output()}")
