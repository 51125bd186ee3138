"""An API that is killed, or asked the same thing many times: one answer, one hold."""

import asyncio
from collections import Counter
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.faults.customer import Balance, Customer
from tests.faults.database import eventually
from tests.faults.rig import Rig

_SLOW_COMMIT = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON idempotency_keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
"""


async def test_an_api_killed_between_its_commit_and_its_answer_has_accepted_once(
    rig: Rig, customer: Customer, database: asyncpg.Connection
) -> None:
    """The customer, who heard nothing, asks again with the same key: the same try-on, and one hold."""
    rig.provider.expect(creates=1)
    key = str(uuid4())
    await database.execute(_SLOW_COMMIT)
    try:
        async with customer.charged(1):
            unheard = asyncio.create_task(customer.ask(key=key))
            commits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'COMMIT%' AND state = 'active')"
            await eventually(lambda: database.fetchval(commits))
            rig.api.kill()
            with pytest.raises(httpx.TransportError):
                await unheard
            kept = "SELECT result FROM idempotency_keys WHERE key = $1"
            await eventually(lambda: database.fetchval(kept, key))
            rig.api.start()
            rig.wait_for_api()
            again = await customer.ask(key=key)
            assert (again.status_code, again.content) == (202, await database.fetchval(kept, key))
            assert (await customer.outcome(again.json()["image_id"])).status == "COMPLETED"
    finally:
        await database.execute("DROP FUNCTION dawdle CASCADE")


@pytest.mark.exhaustive
async def test_one_key_sent_twenty_times_at_once_makes_one_try_on(rig: Rig, customer: Customer) -> None:
    """Each is answered with the same try-on, or told that it is being worked on."""
    rig.provider.expect(creates=1)
    key = str(uuid4())
    async with customer.charged(1):
        answers = await asyncio.gather(*(customer.ask(key=key) for _ in range(20)))
        assert {answer.status_code for answer in answers} <= {202, 409}
        images = {answer.json()["image_id"] for answer in answers if answer.status_code == 202}
        assert len(images) == 1
        assert (await customer.outcome(images.pop())).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_fifty_requests_at_once_cannot_spend_one_credit_twice(rig: Rig, newcomer: Customer) -> None:
    """One is accepted, 49 are told that it costs more than there is."""
    rig.provider.expect(creates=3)
    await newcomer.outcome(await newcomer.generate("front", "right"))
    answers = await asyncio.gather(*(newcomer.ask() for _ in range(50)))
    accepted = [answer.json()["image_id"] for answer in answers if answer.status_code == 202]
    assert Counter(answer.status_code for answer in answers) == {202: 1, 402: 49}
    assert (await newcomer.outcome(accepted[0])).status == "COMPLETED"
    assert await newcomer.balance() == Balance(credits=0, credits_held=0)
