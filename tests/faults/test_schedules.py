"""What workers do by the clock, when several do it at the same moment: all of it is done, and each thing once."""

import asyncio
from collections import Counter

import asyncpg
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.provider import NO_WEBHOOKS
from tests.faults.rig import Rig
from tests.faults.shop import Shop

MANY = 12
"""More than one worker could have done by chance before the other one looked."""
_WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND relation = to_regclass($1)"
_BEHIND_A_ROW = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"
_CONNECTIONS = 7
"""That one worker has for try-ons: whoever waits beside so many is another one."""


async def start_two_that_meet_at(table: str, rig: Rig, database: asyncpg.Connection) -> None:
    """Two workers whose first look is held up at a table until both are there."""

    async def both_wait() -> bool:
        return bool(await database.fetchval(_WAITING, table) >= 2)

    async with database.transaction():
        await database.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        for _ in range(2):
            await asyncio.to_thread(rig.add_worker)
        await eventually(both_wait)


@pytest.mark.exhaustive
async def test_two_workers_ask_about_each_purchase_once(rig: Rig, shop: Shop, database: asyncpg.Connection) -> None:
    """Neither twice in one period, nor not at all."""
    rig.provider.expect(creates=0)
    all_noted = "SELECT count(DISTINCT ask_at) = $1 AND min(ask_at) > now() FROM transactions WHERE ask_at IS NOT NULL"
    # So slow that whoever asks a second time has done so before anything is noted of the first.
    await rig.dodo.script({"on": "get_checkout", "times": None, "delay": 2})
    orders = [await shop.order(1) for _ in range(MANY)]
    await start_two_that_meet_at("transactions", rig, database)
    await eventually(lambda: database.fetchval(all_noted, MANY))
    asked = Counter(call.path.rpartition("/")[2] for call in await rig.dodo.calls("get_checkout"))
    assert asked == dict.fromkeys((order.session_id for order in orders), 1)


@pytest.mark.exhaustive
async def test_two_workers_end_what_is_overdue_once(rig: Rig, customer: Customer, database: asyncpg.Connection) -> None:
    """One end in the log, one credit back, and the provider is told once to stop."""
    rig.provider.expect(creates=MANY, cancels=MANY)
    await asyncio.to_thread(rig.add_worker)
    await rig.provider.script(NO_WEBHOOKS, {"on": "create", "times": None, "outcome": {"status": "processing"}})
    since = rig.log_sizes()

    async def two_wait() -> bool:
        return bool(await database.fetchval(_BEHIND_A_ROW) > _CONNECTIONS)

    async with customer.charged(0):
        images = [await customer.generate() for _ in range(MANY)]
        submitted = "SELECT count(prediction_id) = $2 FROM views WHERE image_id = ANY($1::bigint[])"
        await eventually(lambda: database.fetchval(submitted, images, MANY))
        other = await asyncpg.connect(rig.postgres.url)
        async with database.transaction():
            await database.execute("SELECT FROM images WHERE id = ANY($1::bigint[]) FOR UPDATE", images)
            await other.execute("UPDATE views SET expires_at = now() WHERE image_id = ANY($1::bigint[])", images)
            await other.close()
            await eventually(two_wait)
        for image in images:
            assert (await customer.outcome(image)).errors == {"provider_timeout"}
        ends = "SELECT count(*) FROM image_events WHERE image_id = ANY($1::bigint[]) AND view = 'front' AND error <> ''"
        assert await database.fetchval(ends, images) == MANY
        swept = [line["view_id"] for line in rig.logged(since, "worker", "worker2") if line["event"] == "view_expired"]
        assert (len(swept), len(set(swept))) == (MANY, MANY)

        async def called_off() -> bool:
            return await rig.provider.count("cancel") == MANY

        await eventually(called_off)


@pytest.mark.exhaustive
async def test_two_workers_remove_what_has_expired_once(rig: Rig, database: asyncpg.Connection) -> None:
    """What one has in hand the other leaves to it, without waiting."""
    rig.provider.expect(creates=0)
    expired = "INSERT INTO blacklist_tokens SELECT 'old' || n, now() - interval '1 hour' FROM generate_series(1, $1) n"
    await database.execute(expired, MANY)
    since = rig.log_sizes()

    def told() -> list[int]:
        return [line["tokens"] for line in rig.logged(since) if line.get("event") == "expired_purged"]

    await start_two_that_meet_at("blacklist_tokens", rig, database)
    await eventually(lambda: len(told()) >= 2)
    assert sum(told()) == MANY
    assert not await database.fetchval("SELECT EXISTS (SELECT FROM blacklist_tokens WHERE jti LIKE 'old%')")
