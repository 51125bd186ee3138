import os
import sys
import threading

import pytest

from infrastructure.background_threads import background_threads


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def niceness_of_a_thread_started_here() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(niceness()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has the priority of its process")
def test_they_and_what_they_start_give_way_to_everybody_else() -> None:
    """libvips decodes in threads of its own, which it starts from whoever asks first."""
    with background_threads(1, name="slow") as threads:
        assert threads.submit(niceness).result() > niceness()
        assert threads.submit(niceness_of_a_thread_started_here).result() > niceness()


def test_where_a_sandbox_lets_nobody_give_way_they_work_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under a seccomp profile: without them nobody could sign in, and no photo be taken."""

    def forbid(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbid)
    with background_threads(1, name="slow") as threads:
        assert threads.submit(niceness).result() == niceness()
