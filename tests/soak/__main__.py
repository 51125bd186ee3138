"""`just soak MINUTES`: the whole stack under load while its parts die at random, then an audit of what is left.

Two APIs and two workers, PostgreSQL, Valkey, and a provider that misbehaves. Exits non-zero when a promise is broken.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.rig import Rig
from tests.soak.soaking import SETTINGS, soak


def main(minutes: str) -> int:
    with TemporaryDirectory(prefix="hairtryon-soak-") as folder:
        rig = Rig(Path(folder), **SETTINGS)
        try:
            return 0 if asyncio.run(soak(rig, float(minutes) * 60)) else 1
        finally:
            rig.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
