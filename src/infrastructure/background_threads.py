"""Threads for what takes a core for long: the event loop goes before them."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

_NICENESS = 5
_LOWEST = 19


def background_threads(count: int, *, name: str) -> ThreadPoolExecutor:
    """Make a pool whose threads, and those that libraries start from them, give way where cores are short."""
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=_give_way)


def _give_way() -> None:
    """Lower the priority of this thread: setpriority(2), which on Linux alone can be told of one thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # On top of what the process has, for nobody but root may raise a priority.
        with suppress(OSError):  # where a sandbox forbids it: slower beside others is better than not at all
            os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS, _LOWEST))
