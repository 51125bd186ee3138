"""How long `hairtryon serve` takes to its first answer, against importing what it is made of.

Both are started with the same interpreter, whose compiled files are there. Database and Redis run already.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection, HTTPException

from benchmarks import cores
from benchmarks.load import HOST
from benchmarks.measure import Row, Target, compare_amounts
from benchmarks.rig import Rig
from bootstrap.embedded import free_port

_IMPORTS = "import litestar, sqlalchemy, dishka"
_LOOK_AGAIN_SECONDS = 0.002
_PATIENCE_SECONDS = 30.0


def start(rig: Rig) -> Iterator[Row]:
    yield compare_amounts(
        "start",
        "first answer",
        ours=partial(_first_answer, rig),
        theirs=partial(_imports, rig),
        against="its imports alone",
        unit="ms",
        target=Target("<=", 2.5),
    )


def _first_answer(rig: Rig) -> float:
    port = free_port()
    began = time.perf_counter()
    with rig.starting_api(port, cores.SERVER) as process:
        while not _answers(port):
            if not process.running or time.perf_counter() - began > _PATIENCE_SECONDS:
                raise RuntimeError(f"The API does not start:\n{process.output()}")
            time.sleep(_LOOK_AGAIN_SECONDS)
        return (time.perf_counter() - began) * 1e3


def _answers(port: int) -> bool:
    """Whether it answers the catalogue, for which it needs database, container and settings."""
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/api/v1/image/styles")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _imports(rig: Rig) -> float:
    began = time.perf_counter()
    with cores.on(cores.SERVER):
        subprocess.run([sys.executable, "-c", _IMPORTS], env=rig.environ, check=True)  # noqa: S603 - our own words
    return (time.perf_counter() - began) * 1e3
