import os
import signal
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.reaper import Reaper, start_time
from bootstrap.stack.child import Child
from bootstrap.stack.crew import Crew

DILIGENT = """
import os, signal, sys, time

def end(*_):
    time.sleep(float(sys.argv[2]))
    print(sys.argv[1], "ended", flush=True)
    sys.exit()

signal.signal(signal.SIGTERM, end)
print(sys.argv[1], "started", os.getpid(), flush=True)
time.sleep(600)
"""


class Rig:
    """A crew whose members write to one log, in the order in which things happen to them."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "all.log"
        self.told: list[str] = []
        self.crew = Crew(self.told.append)
        self._reaper = Reaper()

    def child(self, name: str, script: str = DILIGENT, *, drains_for: float = 0) -> Child:
        command = [sys.executable, "-c", textwrap.dedent(script), name, str(drains_for)]
        return Child(name, command, environ={}, log=self.log, reaper=self._reaper)

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def pids(self, name: str) -> list[int]:
        return [int(line.split()[2]) for line in self.lines() if line.startswith(f"{name} started")]

    def wait_for_lines(self, number: int) -> None:
        """Until the members have written this many; fails when it takes absurdly long."""
        deadline = time.monotonic() + 60
        while not self.log.exists() or len(self.lines()) < number:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def close(self) -> None:
        self.crew.stop()
        self._reaper.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def test_a_program_that_is_killed_is_started_again(rig: Rig) -> None:
    """Once and again, and it is told to a person."""
    rig.crew.settled.set()
    rig.crew.add_program(rig.child("worker"))
    rig.crew.watch()
    for deaths in range(3):
        rig.wait_for_lines(deaths + 1)
        os.kill(rig.pids("worker")[-1], signal.SIGKILL)
    rig.wait_for_lines(4)
    assert rig.told == ["worker has ended unexpectedly and is started again"] * 3


def test_programs_finish_their_work_before_their_servers_are_stopped(rig: Rig) -> None:
    """However long they take to drain, in the order of stopping the server comes last."""
    rig.crew.add_server(rig.child("server"))
    rig.crew.add_program(rig.child("api", drains_for=0.1))
    rig.crew.add_program(rig.child("worker", drains_for=0.4))
    rig.crew.watch()
    rig.wait_for_lines(3)
    rig.crew.stop()
    assert rig.lines()[3:] == ["api ended", "worker ended", "server ended"]
    assert not any(start_time(pid) for name in ("server", "api", "worker") for pid in rig.pids(name))


def test_a_reload_starts_programs_anew_and_leaves_servers_alone(rig: Rig) -> None:
    """The database stays when the code changes."""
    rig.crew.add_server(rig.child("server"))
    rig.crew.add_program(rig.child("api"))
    rig.crew.watch()
    rig.wait_for_lines(2)
    rig.crew.reload.set()
    rig.wait_for_lines(4)
    assert len(rig.pids("api")) == 2
    assert len(rig.pids("server")) == 1
    assert rig.told == []


def test_bad_settings_end_the_crew_with_the_programs_own_words(rig: Rig) -> None:
    """Exit code 2 means that to start again is of no use."""
    rig.crew.add_program(rig.child("api", "import sys; sys.exit(print('REDIS_URL should start with redis://.') or 2)"))
    rig.crew.watch()
    assert rig.crew.ended.wait(60)
    assert rig.crew.failure == "api cannot start:\nREDIS_URL should start with redis://."


def test_a_program_that_always_dies_at_once_ends_the_crew_before_it_is_settled(rig: Rig) -> None:
    """A broken program is not tried for ever: its last words are shown."""
    rig.crew.add_program(rig.child("api", "raise RuntimeError('broken')"))
    rig.crew.watch()
    assert rig.crew.ended.wait(60)
    assert "RuntimeError: broken" in str(rig.crew.failure)
    assert len(rig.told) == 2


def test_a_settled_crew_does_not_give_up(rig: Rig) -> None:
    """While somebody is at work on the code, it is tried until it works."""
    rig.crew.settled.set()
    rig.crew.add_program(rig.child("api", "print('api started 0'); raise SystemExit(2)"))
    rig.crew.watch()
    rig.wait_for_lines(3)
    assert not rig.crew.ended.is_set()
