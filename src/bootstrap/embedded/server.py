"""What both embedded servers have in common: a process, a port, a log, a life that ends with ours."""

import contextlib
import os
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from signal import SIGKILL, Signals
from typing import TypedDict

from bootstrap.reaper import Reaper

HOST = "127.0.0.1"

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.02
_PASSING_TROUBLE = (
    "ddress already in use",  # another process was quicker to take the port
    "pre-existing shared memory block",  # PostgreSQL was killed and its backends have not noticed yet
)


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot run; the message says which, where and why."""


class AlreadyRunningError(EmbeddedServerError):
    """Another server works on this data folder."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nobody listens at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def wheel(package: str) -> Path:
    """Where an installed wheel lies, without importing it. Both wheels are in the extra `embedded`."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise EmbeddedServerError(f"The package {package} is missing: install hair-tryon[embedded].")
    return Path(found.origin).resolve().parent


class Account(TypedDict, total=False):
    """Arguments of `subprocess` that choose a system user; none of them: the one that runs this process."""

    user: int
    group: int
    extra_groups: Sequence[int]


class EmbeddedServer(ABC):
    """One server process. It keeps its port and its data from one start to the next.

    It has a session of its own, so that a Ctrl-C meant for the supervisor does not end it before its clients, and a
    reaper that ends it when this process is killed. `durable=False` is for tests: quicker, and a crash of the machine
    may lose data (a crash of PostgreSQL alone loses nothing that was committed).
    """

    name: str
    ending: Signals

    def __init__(self, data: Path, *, durable: bool = True, reaper: Reaper | None = None) -> None:
        self.data = data.resolve()
        self.log = self.data.with_name(f"{self.data.name}.log")
        self.durable = durable
        self.port = 0
        self._reaper = reaper or Reaper()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Raises `EmbeddedServerError` when it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise EmbeddedServerError(f"{self.name} is not running.")
        return self._process.pid

    def start(self) -> None:
        """Start, on the port of the last start if there was one, and return when it answers.

        Raises `AlreadyRunningError` when its data folder is in use, and `EmbeddedServerError` with the end of its log
        when it does not come up within 30 seconds.
        """
        if self.running:
            return
        self._prepare()
        chosen = self.port
        deadline = time.monotonic() + _START_SECONDS
        while True:
            self.port = chosen or free_port()
            complaint = self._try_to_start(deadline)
            if complaint is None:
                return
            if time.monotonic() > deadline or not any(trouble in complaint for trouble in _PASSING_TROUBLE):
                raise EmbeddedServerError(f"{self.name} does not start. The end of {self.log}:\n{complaint}")
            time.sleep(5 * _LOOK_AGAIN_SECONDS)

    def signal(self, number: Signals) -> None:
        """Send it a signal: SIGSTOP and SIGCONT, for instance, make it silent for a while."""
        os.kill(self.pid, number)

    def stop(self) -> None:
        """Let it finish its work and write its data; kill it when that takes more than 10 seconds."""
        self._end(self.ending)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(SIGKILL)

    def _end(self, how: Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reaper.forget(process.pid)

    def _try_to_start(self, deadline: float) -> str | None:
        """Start the process once: None when it is ready, else what it wrote to its log."""
        with self.log.open("ab") as log:
            beginning = log.tell()
            process = self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self._command(),
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._account(),
            )
        self._reaper.watch(process.pid, ending=self.ending)
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self._answers():
                    return None
            time.sleep(_LOOK_AGAIN_SECONDS)
        self.kill()
        with self.log.open("rb") as log:
            log.seek(beginning)
            return log.read()[-2_000:].decode(errors="replace").strip() or "(nothing)"

    def _account(self) -> Account:
        """The system user that runs the server."""
        return {}

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def _prepare(self) -> None:
        """Make the data folder fit for a start."""

    @abstractmethod
    def _command(self) -> Sequence[str]: ...

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it serves clients now; an `OSError` means no."""
