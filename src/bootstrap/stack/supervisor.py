"""The whole product on one machine: what the environment does not name is started, the API and the worker with it."""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

from bootstrap.embedded import EmbeddedServerError, PostgresServer, ValkeyServer, free_port
from bootstrap.reaper import Reaper
from bootstrap.settings import SettingsError, load_settings
from bootstrap.stack.child import Child, hairtryon
from bootstrap.stack.crew import LOOK_AGAIN_SECONDS, Crew
from bootstrap.stack.environment import PLAYED_SERVICES, provided, sandbox_environment
from bootstrap.stack.folder import BadSettingsError, StackError, StackFolder

_READY_SECONDS = 90.0
_LOOPBACK = "127.0.0.1"
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, never bound by default


class Stack:
    """PostgreSQL, Valkey, the sandbox, the API and the worker, in one folder and on one port (0 takes a free one)."""

    def __init__(
        self,
        folder: StackFolder,
        environ: Mapping[str, str],
        *,
        host: str = _LOOPBACK,
        port: int = 8000,
        tell: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self.crew = Crew(tell)
        self._host = host
        self._port = port or free_port()
        self._given = dict(environ)
        self._addresses = {"PUBLIC_URL": self.url}

    @property
    def url(self) -> str:
        """Where the API answers."""
        is_local = self._host in {_LOOPBACK, "::1", *_EVERYWHERE}
        return f"http://{'localhost' if is_local else self._host}:{self._port}"

    @property
    def environ(self) -> dict[str, str]:
        """What its programs are told."""
        return provided(self.folder, self._given, self._addresses)

    def is_played(self, service: str) -> bool:
        """Whether the sandbox plays the outside service that this variable is the address of."""
        return service in PLAYED_SERVICES and not self._given.get(service)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, the API answers and the catalogue is there; outside, nothing of it is left.

        Raises `StackError` when it cannot start, and when `crew.ended` is set before it has.
        """
        self._require_port()
        lock = self.folder.lock()
        reaper = Reaper(keep=[lock])
        try:
            self._check_settings()
            self._start(reaper)
            self.folder.announce(self._addresses)
            self.crew.settled.set()
            yield
        except EmbeddedServerError as error:
            raise StackError(str(error)) from error
        finally:
            self.folder.withdraw()
            self.crew.stop()
            reaper.close()
            os.close(lock)

    def _start(self, reaper: Reaper) -> None:
        sandbox = self._start_sandbox(reaper)
        if not self._given.get("DATABASE_URL"):
            postgres = PostgresServer(self.folder.root / "postgres", reaper=reaper)
            self.crew.add_server(postgres)
            self._addresses["DATABASE_URL"] = postgres.url
        if not self._given.get("REDIS_URL"):
            valkey = ValkeyServer(self.folder.root / "valkey", reaper=reaper)
            self.crew.add_server(valkey)
            self._addresses["REDIS_URL"] = valkey.url
        self._finish(self._errand("db", "upgrade", reaper=reaper))
        catalogue = self._errand("style", "import", reaper=reaper)
        self.crew.add_program(
            self._program("api", "serve", "--host", self._host, "--port", f"{self._port}", reaper=reaper)
        )
        self.crew.add_program(self._program("worker", "worker", reaper=reaper))
        self.crew.watch()
        self._finish(catalogue)
        if sandbox is not None:
            self._wait_until(lambda: "ready " in sandbox.output(), "The sandbox does not answer.")
        self._wait_until(self._api_answers, f"The API does not answer; its log is {self.folder.log('api')}.")

    def _start_sandbox(self, reaper: Reaper) -> Child | None:
        played = [name for name in PLAYED_SERVICES if self.is_played(name)]
        if not played:
            return None
        port = free_port()
        for name in played:
            self._addresses[name] = f"http://{_LOOPBACK}:{port}{PLAYED_SERVICES[name]}"
        command = [sys.executable, "-P", "-m", "sandbox", "--host", _LOOPBACK, "--port", f"{port}"]
        data = ["--data", str(self.folder.root / "sandbox")]
        log = self.folder.log("sandbox")
        environ = sandbox_environment(self.environ)
        sandbox = Child("sandbox", [*command, *data], environ=environ, log=log, reaper=reaper)
        self.crew.add_server(sandbox)
        return sandbox

    def _program(self, name: str, *arguments: str, reaper: Reaper) -> Child:
        return Child(name, hairtryon(*arguments), environ=self.environ, log=self.folder.log(name), reaper=reaper)

    def _errand(self, *arguments: str, reaper: Reaper) -> Child:
        """Start a command that ends by itself."""
        name = " ".join(arguments)
        output = self.folder.root / f"{'-'.join(arguments)}.out"
        errand = Child(f"hairtryon {name}", hairtryon(*arguments), environ=self.environ, log=output, reaper=reaper)
        errand.start()
        return errand

    def _finish(self, errand: Child) -> None:
        self._wait_until(lambda: not errand.running, f"`{errand.name}` does not come to an end.")
        if errand.exit_code:
            raise StackError(f"`{errand.name}` failed:\n{errand.output()}")

    def _api_answers(self) -> bool:
        connection = HTTPConnection(_LOOPBACK if self._host in _EVERYWHERE else self._host, self._port, timeout=1)
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status < 500  # noqa: PLR2004
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _wait_until(self, condition: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not condition():
            if self.crew.ended.wait(LOOK_AGAIN_SECONDS):
                raise StackError(self.crew.failure or "Stopped before it was ready.")
            if time.monotonic() > deadline:
                raise StackError(otherwise)

    def _check_settings(self) -> None:
        """Tell every mistake before anything is started, and not only in the log of a program."""
        servers = {"DATABASE_URL": "postgresql://to-be-started", "REDIS_URL": "redis://to-be-started"}
        try:
            load_settings(servers | self.environ)
        except SettingsError as error:
            raise BadSettingsError(str(error)) from error

    def _require_port(self) -> None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            socket.create_server((self._host, self._port), family=family).close()
        except OSError as error:
            raise StackError(
                f"Port {self._port} of {self._host} cannot be had ({error.strerror}): "
                "stop what listens there, or choose another with --port."
            ) from error
