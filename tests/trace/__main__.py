"""`just trace`: one generation of two views on the real stack, as metrics and as a trace.

Exits non-zero when a count that must move did not, or when the trace is not one.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.collector import collecting
from tests.faults.rig import Rig
from tests.trace.show import show
from tests.trace.story import play, settings


def main() -> int:
    with TemporaryDirectory(prefix="hairtryon-trace-") as folder, collecting() as collector:
        rig = Rig(Path(folder), **settings(collector))
        try:
            report = asyncio.run(play(rig, collector))
        finally:
            rig.close()
    show(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
