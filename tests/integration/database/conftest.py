from collections.abc import AsyncIterator

import asyncpg
import pytest

from infrastructure.database.engine import create_engine, open_read_pool
from infrastructure.database.transaction import open_write_pool
from tests.fakes import FakeDoorbell
from tests.integration.database.stage import Stage


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    engine = create_engine(database_url, connections=10)
    database = await asyncpg.connect(database_url)
    async with (
        open_read_pool(database_url, connections=5) as pool,
        open_write_pool(database_url, connections=5) as write_pool,
    ):
        yield Stage(engine, pool, write_pool, database, FakeDoorbell())
    await database.close()
    await engine.dispose()
