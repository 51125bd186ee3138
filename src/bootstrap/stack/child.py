"""One process of the stack that is a program of ours: the API, the worker, the sandbox."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.reaper import Reaper

_STOP_SECONDS = 25.0
BAD_SETTINGS = 2
"""The exit code of a program that cannot work with its settings: to start it again would not help."""


def hairtryon(*arguments: str) -> list[str]:
    """The command line of `hairtryon` with these arguments, from the installation that this process belongs to."""
    return [str(Path(sys.executable).with_name("hairtryon")), *arguments]


class Child:
    """A child process whose output is appended to a log. It has a session of its own, as the embedded servers do."""

    def __init__(
        self, name: str, command: Sequence[str], *, environ: Mapping[str, str], log: Path, reaper: Reaper
    ) -> None:
        self.name = name
        self._command = command
        self._environ = environ
        self._log = log
        self._beginning = 0
        self._reaper = reaper
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Of its last run; None while it runs or before it ran. Negative: the signal that ended it."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        if self._process is not None:
            self._reaper.forget(self._process.pid)
        with self._log.open("ab") as log:
            self._beginning = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self._command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._reaper.watch(self._process.pid)

    def ask_to_stop(self) -> None:
        """Begin to end it: it finishes the work in hand."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Let it finish the work in hand; kill it when that takes more than 25 seconds."""
        self.ask_to_stop()
        if self._process is None:
            return
        if not self.wait(_STOP_SECONDS):
            self._process.kill()
            self._process.wait()
        self._reaper.forget(self._process.pid)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within this time."""
        if self._process is not None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                return False
        return True

    def output(self) -> str:
        """What its last run has written, its last part if that is long."""
        with self._log.open("rb") as log:
            log.seek(self._beginning)
            return log.read()[-4_000:].decode(errors="replace").strip()
