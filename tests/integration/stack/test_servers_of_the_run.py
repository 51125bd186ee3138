import asyncpg
import pytest
from redis.asyncio import Redis


@pytest.mark.parametrize("turn", range(4))
async def test_every_test_has_an_empty_database_of_its_own(empty_database_url: str, turn: int) -> None:
    """A table that another test made is not there."""
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute("CREATE TABLE mine (turn integer)")
        await connection.execute("INSERT INTO mine VALUES ($1)", turn)
        assert await connection.fetchval("SELECT turn FROM mine") == turn
    finally:
        await connection.close()


@pytest.mark.parametrize("turn", range(4))
async def test_every_test_finds_an_empty_valkey(redis_url: str, turn: int) -> None:
    """A key that another test set is not there."""
    async with Redis.from_url(redis_url) as redis:
        assert await redis.dbsize() == 0
        await redis.set("mine", turn)


async def test_a_migrated_database_has_every_table_and_no_row(database_url: str) -> None:
    """It is cloned from a template to which the migrations were applied once."""
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT to_regclass('users') IS NOT NULL")
        assert await connection.fetchval("SELECT count(*) FROM users") == 0
    finally:
        await connection.close()
