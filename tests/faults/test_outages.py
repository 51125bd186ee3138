"""What `just outages` shows, in short: each thing that the product stands on is away for a moment, under load."""

from pathlib import Path

import pytest

from tests.outages.campaign import campaign, stage
from tests.outages.outages import QUICK


@pytest.mark.exhaustive
async def test_an_outage_degrades_what_it_must_and_passes_without_a_restart(tmp_path: Path) -> None:
    """Route by route the answers are those that are promised; afterwards all is as ever, and what was begun is done."""
    async with stage(tmp_path) as (rig, store):
        told = await campaign(rig, store, QUICK)
    assert not told.broken
