"""Our programs as processes that a test kills, freezes and starts again."""

import signal
import time
from collections.abc import Callable

import httpx

from bootstrap.stack.child import Child

_PATIENCE_SECONDS = 60.0


class Program(Child):
    """One process of the product. Every start gets the same environment and appends to the same log."""

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    def kill(self) -> None:
        """End it as a crash would, and return when it is gone."""
        self.send(signal.SIGKILL)
        self.wait_for_end()

    def freeze(self) -> None:
        """It stands still, as a machine does that is out of memory or being moved, and does not know it."""
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def wait_for_end(self) -> int:
        """The exit code; negative: the signal that ended it."""
        assert self.wait(_PATIENCE_SECONDS), f"{self.name} does not end:\n{self.output()}"
        assert self.exit_code is not None
        return self.exit_code

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not ready():
            assert self.running, f"{self.name} has ended:\n{self.output()}"
            assert time.monotonic() < deadline, f"{self.name} is not ready:\n{self.output()}"
            time.sleep(0.02)

    def wait_for_line(self, text: str) -> None:
        """Until its last start has written this."""
        self.wait_until(lambda: text.encode() in self._log.read_bytes()[self._beginning :])


def answers(url: str) -> bool:
    """Whether a GET of this address is answered with success."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
