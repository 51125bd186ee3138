"""An API that dies while a photo is on its way to storage: nobody knows the file, and it goes all the same."""

import asyncio

import asyncpg
import httpx
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.rig import Rig, portrait

_SLOW_RECORD = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$;
CREATE TRIGGER slow_record BEFORE INSERT ON uploads FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
_ANNOUNCED = "SELECT key FROM expected_files"
_INSERTING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO uploads%' AND state = 'active'"


async def test_a_file_whose_api_was_killed_before_the_record_is_swept(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """Stored, announced, and recorded nowhere; a day later it has left storage, and what was recorded has not."""
    rig.provider.expect(creates=0)
    recorded = {row["key"] for row in await database.fetch("SELECT key FROM uploads")}
    await database.execute(_SLOW_RECORD)
    try:
        upload = {"file": ("me.jpg", portrait(), "image/jpeg")}
        unheard = asyncio.create_task(customer.http.post("/image/upload", files=upload))
        await eventually(lambda: database.fetchval(_INSERTING))
        (key,) = [row["key"] for row in await database.fetch(_ANNOUNCED)]
        assert (rig.media / key).exists()
        rig.api.kill()
        with pytest.raises(httpx.TransportError):
            await unheard
        await eventually(lambda: _none(database, _INSERTING))
    finally:
        await database.execute("DROP FUNCTION dawdle CASCADE")
    rig.api.start()
    rig.wait_for_api()
    assert {row["key"] for row in await database.fetch("SELECT key FROM uploads")} == recorded
    assert rig.hairtryon("tokens", "purge")["files"] == 0
    assert (rig.media / key).exists()
    await database.execute("UPDATE expected_files SET created_at = created_at - interval '25 hours'")
    assert rig.hairtryon("tokens", "purge")["files"] == 1
    await eventually(lambda: _gone(rig, key))
    assert not await database.fetch(_ANNOUNCED)
    assert all((rig.media / kept).exists() for kept in recorded)


async def _none(database: asyncpg.Connection, query: str) -> bool:
    return not await database.fetchval(query)


async def _gone(rig: Rig, key: str) -> bool:
    return not (rig.media / key).exists()
