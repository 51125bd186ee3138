"""`just outages [WORD...]`: what the product stands on is taken away in turn, under load; a table says what was heard.

All there is, or what has one of these words in its name. Fails when something else was heard than is promised, when
something did not come back by itself, or when what was accepted did not end well.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.outages.campaign import campaign, show, stage
from tests.outages.outages import OUTAGES


async def main(*words: str) -> int:
    chosen = [outage for outage in OUTAGES if not words or any(word in outage.name for word in words)]
    with TemporaryDirectory(prefix="hairtryon-outages-") as folder:
        async with stage(Path(folder)) as (rig, store):
            told = await campaign(rig, store, chosen)
    show(told)
    return 1 if told.broken else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
