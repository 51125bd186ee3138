"""Which core does what: the server under test has one to itself, the database and the load share the others.

So a server's figure is what one process on one core does, whoever else is busy, and the load takes nothing from it.
Where the system cannot pin processes, or there is one core only, everything shares everything, and the results say so.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

Cores = frozenset[int]

ALL: Cores = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()
PINNED = len(ALL) > 1
SERVER: Cores = frozenset({min(ALL)}) if PINNED else ALL
OTHERS: Cores = ALL - SERVER if PINNED else ALL


@contextmanager
def on(cores: Cores) -> Iterator[None]:
    """Give these cores to the processes started meanwhile by this thread."""
    if not PINNED:
        yield
        return
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ALL)
