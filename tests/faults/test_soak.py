"""The soak that `just soak` runs for as long as one likes, for a moment."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.rig import Rig
from tests.soak.soaking import SETTINGS, soak


@pytest.mark.exhaustive
async def test_a_short_soak_breaks_no_promise(tmp_path: Path) -> None:
    """Customers and mishaps at random, then everything comes to rest and is as it must be."""
    rig = await asyncio.to_thread(Rig, tmp_path, **SETTINGS)
    try:
        assert await soak(rig, 15)
    finally:
        await asyncio.to_thread(rig.close)
