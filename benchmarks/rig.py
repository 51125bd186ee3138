"""What is measured: the real API and the floor, over one database with 100,000 images. All of it ends with the run."""

import asyncio
import base64
import os
import resource
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil  # type: ignore[import-untyped]  # comes with the embedded servers
from redis import Redis

from benchmarks import cores, data
from benchmarks.load import HOST
from bootstrap import migrations
from bootstrap.embedded import free_port, start_postgres, start_valkey
from bootstrap.reaper import Reaper
from bootstrap.stack.child import Child, hairtryon

_START_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.05
_NEVER_REACHED = "1000000/second"
_FILES = 4096


class Process(Child):
    """A process whose memory and processor time can be looked at."""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def memory(self) -> float:
        """Megabytes of its own and of libraries that it has touched (the resident set)."""
        told = subprocess.run(  # noqa: S603
            ["ps", "-o", "rss=", "-p", str(self.pid)],  # noqa: S607 - wherever the system has it
            capture_output=True,
            check=True,
            text=True,
        )
        return int(told.stdout) / 1024

    @property
    def worked(self) -> float:
        """Seconds of processor time that it took, all of its threads together."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """`RuntimeError` with what it wrote when it is not ready in time."""
        deadline = time.monotonic() + _START_SECONDS
        while self.running and time.monotonic() < deadline:
            if ready():
                return
            time.sleep(_LOOK_AGAIN_SECONDS)
        raise RuntimeError(f"The {self.name} does not start:\n{self.output()}")


@dataclass(frozen=True)
class Server:
    port: int
    process: Process


@dataclass(frozen=True)
class Rig:
    folder: Path
    environ: Mapping[str, str]
    reaper: Reaper
    provider_port: int

    @contextmanager
    def api(self, place: cores.Cores, *, name: str = "api") -> Iterator[Server]:
        """Run `hairtryon serve` with everything on; those that run at once have names of their own."""
        port = free_port()
        with self.starting_api(port, place, name=name) as process:
            process.wait_until(lambda: is_listening(port))
            yield Server(port, process)

    @contextmanager
    def starting_api(self, port: int, place: cores.Cores, *, name: str = "api") -> Iterator[Process]:
        """The same, from its very start."""
        environ = {**self.environ, "LOG_FILE": str(self.folder / f"{name}.log")}
        with self._running(name, hairtryon("serve", "--port", str(port)), place, environ) as process:
            yield process

    @contextmanager
    def floor(self, place: cores.Cores) -> Iterator[Server]:
        port = free_port()
        with self._serving("floor", module("benchmarks.floor", str(port)), port, place) as server:
            yield server

    @contextmanager
    def provider(self, place: cores.Cores, *, api: Server | None = None, seconds: float = 0) -> Iterator[None]:
        """Run the provider's stand-in; it finishes predictions at once if there is an API to tell, and never if not.

        It takes so many seconds for each answer.
        """
        port = self.provider_port
        command = module("benchmarks.provider", str(port), str(api.port) if api else "", str(seconds))
        with self._serving("provider", command, port, place):
            yield

    @contextmanager
    def worker(self, place: cores.Cores, *, name: str = "worker") -> Iterator[Process]:
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        environ = {**self.environ, "LOG_FILE": str(log)}
        with self._running(name, hairtryon("worker"), place, environ) as worker:
            worker.wait_until(lambda: log.exists() and b"worker_ready" in log.read_bytes())
            yield worker

    def reached_at(self, database_url: str) -> "Rig":
        """The same with another database, or with another way to this one."""
        return replace(self, environ={**self.environ, "DATABASE_URL": database_url})

    def fill(self, size: data.Population, *, books: bool = False) -> None:
        """Make the tables of an empty database, the catalogue, and who is there."""
        database_url = self.environ["DATABASE_URL"]
        migrations.upgrade(database_url)
        subprocess.run(  # noqa: S603 - our own command line
            hairtryon("style", "import"), env=self.environ, check=True, stdout=subprocess.DEVNULL
        )
        asyncio.run(data.populate(database_url, size, books=books))

    def restore(self) -> None:
        """Have database, queue and storage as they were at the start."""
        asyncio.run(data.restore(self.environ["DATABASE_URL"]))
        with Redis.from_url(self.environ["REDIS_URL"]) as redis:
            redis.flushall()
        shutil.rmtree(self.folder / "media", ignore_errors=True)

    @contextmanager
    def _serving(self, name: str, command: list[str], port: int, place: cores.Cores) -> Iterator[Server]:
        with self._running(name, command, place, self.environ) as process:
            process.wait_until(lambda: is_listening(port))
            yield Server(port, process)

    @contextmanager
    def _running(
        self, name: str, command: list[str], place: cores.Cores, environ: Mapping[str, str]
    ) -> Iterator[Process]:
        process = Process(name, command, environ=environ, log=self.folder / f"{name}.output", reaper=self.reaper)
        with cores.on(place):
            process.start()
        try:
            yield process
        finally:
            process.stop()


@contextmanager
def open_rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="hairtryon-bench-")))
        stack.enter_context(chdir(folder))  # no `.env` there
        reaper = Reaper()
        stack.callback(reaper.close)
        stack.enter_context(_many_files())
        with cores.on(cores.OTHERS):
            postgres = start_postgres(folder / "postgres", durable=False, reaper=reaper)
            stack.callback(postgres.stop)
            valkey = start_valkey(folder / "valkey", durable=False, reaper=reaper)
            stack.callback(valkey.stop)
        provider_port = free_port()
        rig = Rig(folder, _environment(folder, postgres.url, valkey.url, provider_port), reaper, provider_port)
        rig.fill(data.USUAL)
        yield rig


def is_listening(port: int) -> bool:
    try:
        socket.create_connection((HOST, port)).close()
    except ConnectionRefusedError:
        return False
    return True


@contextmanager
def _many_files() -> Iterator[None]:
    """Let the processes started meanwhile have as many connections as the system lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, _FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _environment(folder: Path, database_url: str, redis_url: str, provider_port: int) -> dict[str, str]:
    """The settings of a production process, but for limits that a benchmark must not reach."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
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
        "RATE_LIMIT_GENERATE": _NEVER_REACHED,
        "REPLICATE_BASE_URL": f"http://{HOST}:{provider_port}/v1",
        "REPLICATE_API_TOKEN": secrets.token_urlsafe(32),
        "REPLICATE_WEBHOOK_SECRET": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "REPLICATE_CREATES_PER_MINUTE": "1000000",
        "GENERATION_TIMEOUT_SECONDS": "3600",
        "GENERATION_DEADLINE_SECONDS": "3600",
        "STORAGE": "disk",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "info",
    }
