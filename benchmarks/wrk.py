"""The load by wrk, where it is installed: a client in C, which takes less of a core than one in Python does.

wrk takes the requests from a script, one after the other over all connections, counts answers of 400 and above as
errors, and has no warm-up of its own: a run of one second goes before.
"""

import json
import math
import resource
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import cores
from benchmarks.load import HOST, Figures

COMMAND = shutil.which("wrk")
"""None where it is not installed."""
_WARM_UP_SECONDS = 1
_SCRIPT = """
local lengths = { %(lengths)s }
local file = io.open("%(requests)s", "rb")
local requests = {}
for place, length in ipairs(lengths) do requests[place] = file:read(length) end
file:close()

local turn = 0
function request()
    turn = turn %% #requests + 1
    return requests[turn]
end

function done(summary, latency, _)
    local errors = summary.errors
    print(string.format('{"answers": %%d, "microseconds": %%d, "p50": %%d, "p99": %%d, "errors": %%d}',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def run(port: int, requests: Sequence[bytes], connections: int, *, seconds: float) -> Figures:
    """Load one server for so many whole seconds; `seconds` is rounded up, for wrk knows no others."""
    with TemporaryDirectory(prefix="hairtryon-wrk-") as folder:
        texts, script = Path(folder) / "requests", Path(folder) / "script.lua"
        texts.write_bytes(b"".join(requests))
        lengths = ", ".join(str(len(request)) for request in requests)
        script.write_text(_SCRIPT % {"lengths": lengths, "requests": texts})
        _told(port, connections, _WARM_UP_SECONDS, script)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = _told(port, connections, math.ceil(seconds), script)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = told["microseconds"] / 1e6
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Figures(
        rate=told["answers"] / taken,
        p50=told["p50"] / 1e6,
        p99=told["p99"] / 1e6,
        errors=told["errors"],
        load=worked / taken,
    )


def _told(port: int, connections: int, seconds: int, script: Path) -> dict[str, int]:
    assert COMMAND is not None
    with cores.on(cores.OTHERS):
        done = subprocess.run(  # noqa: S603 - our own command line
            [COMMAND, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"http://{HOST}:{port}/"],
            check=True,
            stdout=subprocess.PIPE,
        )
    figures: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return figures
