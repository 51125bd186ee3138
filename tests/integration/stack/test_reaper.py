import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.reaper import Reaper, start_time

SUPERVISOR = textwrap.dedent("""
    import subprocess, sys, time
    from pathlib import Path
    from bootstrap.embedded import start_postgres, start_valkey
    from bootstrap.reaper import Reaper

    reaper = Reaper()
    folder = Path(sys.argv[1])
    postgres = start_postgres(folder / "postgres", durable=False, reaper=reaper)
    valkey = start_valkey(folder / "valkey", durable=False, reaper=reaper)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, start_new_session=True)
    child.stdout.readline()
    reaper.watch(child.pid)
    print(postgres.pid, valkey.pid, child.pid, reaper.pid, flush=True)
    time.sleep(600)
""")


def wait_until(condition: Callable[[], bool]) -> None:
    """Fails when it takes absurdly long: a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def test_nothing_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """After kill -9 of the supervisor its servers, a child that ignores SIGTERM and the reaper itself are gone."""
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", SUPERVISOR, tmp_path], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(pid) for pid in supervisor.stdout.readline().split()]
        assert len(pids) == 4
        assert all(start_time(pid) for pid in pids)
        supervisor.kill()
    wait_until(lambda: not any(start_time(pid) for pid in pids))


def test_a_process_that_was_given_a_used_pid_is_left_alone() -> None:
    """The reaper ends only a process that started when the watched one did."""
    bystander = sleeper()
    helper = subprocess.Popen([sys.executable, "-m", "bootstrap.reaper"], stdin=subprocess.PIPE, text=True)
    helper.communicate(f"watch {bystander.pid} 1 {signal.SIGKILL.value}\n")
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_forgotten_process_is_left_alone() -> None:
    """Who was told of a process and told to forget it does not end it."""
    reaper = Reaper()
    kept, ended = sleeper(), sleeper()
    reaper.watch(kept.pid)
    reaper.watch(ended.pid)
    reaper.forget(kept.pid)
    reaper.close()
    assert ended.wait() == -signal.SIGTERM
    assert kept.poll() is None
    kept.kill()
    kept.wait()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_reaper_is_deaf_to_what_ends_a_terminal_session(how: signal.Signals) -> None:
    """A signal to everybody does not take the last one who can tidy up."""
    reaper = Reaper()
    child = sleeper()
    reaper.watch(child.pid)
    wait_until(lambda: is_deaf_to(reaper.pid, how))
    os.kill(reaper.pid, how)
    reaper.close()
    assert child.wait() == -signal.SIGTERM


def is_deaf_to(pid: int, how: signal.Signals) -> bool:
    ignored = Path(f"/proc/{pid}/status").read_text().split("SigIgn:")[1].split()[0]
    return bool(int(ignored, 16) >> (how.value - 1) & 1)
