"""Nothing outlives this process, even when it is killed with SIGKILL.

A process that is killed cannot tidy up after itself, so a tiny helper does: it holds the reading end of a pipe whose
writing end lives in the supervisor, learns through it which processes to watch, and reads end-of-file when the
supervisor is gone. Then it ends what is left. A process is known by its pid and its start time together, so that an
unrelated process which was given a used pid is never touched.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

GRACE_SECONDS = 5.0
"""How long a process may take to end by itself before it is killed."""

_LOOK_AGAIN_SECONDS = 0.05


def start_time(pid: int) -> str | None:
    """When a process started, as an opaque text that a later owner of the pid does not share; None when it has ended.

    Linux: field 22 of `/proc/PID/stat`, in clock ticks since boot (proc(5)). Elsewhere: what `ps` says, in seconds.
    """
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except OSError:
            return None
        state, *fields = stat.rpartition(")")[2].split()
        return None if state in "ZX" else fields[18]
    answer = subprocess.run(  # noqa: S603 - a fixed command and a number
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC"},
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else "-".join(started.split())


class Reaper:
    """Watches over the children of this process. Closing it ends those that still run, like the death of this process.

    `keep` names file descriptors that the helper holds open as well: a lock among them is released only when the
    last child is gone.
    """

    def __init__(self, *, keep: Iterable[int] = ()) -> None:
        self._helper = subprocess.Popen(
            [sys.executable, "-P", "-m", "bootstrap.reaper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            pass_fds=tuple(keep),
        )

    @property
    def pid(self) -> int:
        return self._helper.pid

    def watch(self, pid: int, *, ending: signal.Signals = signal.SIGTERM) -> None:
        """End this process with `ending` should it outlive us; one that does not obey is killed after a while."""
        started = start_time(pid)
        if started is not None:
            self._tell(f"watch {pid} {started} {ending.value}")

    def forget(self, pid: int) -> None:
        """Told when a process has ended, for its pid may come to belong to another."""
        self._tell(f"forget {pid}")

    def close(self) -> None:
        """End what is still watched, and return when it is gone."""
        if self._helper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._helper.stdin.close()
        self._helper.wait()

    def _tell(self, line: str) -> None:
        if self._helper.stdin is None or self._helper.stdin.closed:
            return
        with contextlib.suppress(BrokenPipeError):  # without its helper, the supervisor still does its own part
            self._helper.stdin.write(line + "\n")
            self._helper.stdin.flush()


def main() -> None:
    """The helper: listen until the supervisor is gone, then end what it has left behind."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: dict[int, tuple[str, int]] = {}
    for line in sys.stdin:
        match line.split():
            case ["watch", pid, started, ending]:
                watched[int(pid)] = (started, int(ending))
            case ["forget", pid]:
                watched.pop(int(pid), None)
            case _:
                continue  # the supervisor was cut off in the middle of a line
    _end(watched)


def _end(watched: dict[int, tuple[str, int]]) -> None:
    def left() -> list[int]:
        return [pid for pid, (started, _) in watched.items() if start_time(pid) == started]

    for pid in left():
        _send(pid, watched[pid][1])
    deadline = time.monotonic() + GRACE_SECONDS
    while left() and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_SECONDS)
    for pid in left():
        _send(pid, signal.SIGKILL)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


if __name__ == "__main__":
    main()
