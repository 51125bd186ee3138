import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.database.stage import Stage, open_stage


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url) as stage:
        yield stage


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The event loop of a state machine, which hypothesis runs step by step."""
    with asyncio.Runner() as runner:
        yield runner
