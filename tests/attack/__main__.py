"""`just attack`: play attacks on accounts and payments against a running stack. Fails when an attack succeeds."""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.attack.campaign import campaign, show
from tests.faults.rig import Rig


async def attack(rig: Rig) -> int:
    findings = []
    async for name, finding in campaign(rig):
        print(f"{'held' if finding.held else 'FELL'}: {name}", flush=True)  # noqa: T201 - a script
        findings.append((name, finding))
    show(findings)
    return 0 if all(finding.held for _, finding in findings) else 1


def main() -> int:
    with TemporaryDirectory(prefix="hairtryon-attack-") as folder:
        rig = Rig(Path(folder))
        try:
            return asyncio.run(attack(rig))
        finally:
            rig.close()


if __name__ == "__main__":
    sys.exit(main())
