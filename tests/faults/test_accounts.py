"""Accounts while parts of the system are down: what was revoked stays so, and what was erased goes."""

from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.rig import Rig, portrait
from tests.faults.test_outputs import unusable


async def erase(customer: Customer, password: str) -> httpx.Response:
    return await customer.http.request("DELETE", "/user/me", json={"password": password})


async def test_a_token_revoked_while_redis_is_down_is_refused(rig: Rig, newcomer: Customer) -> None:
    """Nobody asks Redis who may come in: neither before, nor meanwhile, nor when it is back."""
    rig.provider.expect(creates=0)
    assert (await newcomer.http.get("/user/me")).status_code == 200
    rig.valkey.stop()
    assert (await newcomer.http.get("/user/me")).status_code == 200
    assert (await newcomer.http.post("/auth/logout")).status_code == 204
    assert (await newcomer.http.get("/user/me")).status_code == 401
    newcomer.http.headers["Authorization"] += "="
    assert (await newcomer.http.get("/user/me")).status_code == 401
    rig.valkey.start()
    assert (await newcomer.http.get("/user/me")).status_code == 401


@pytest.mark.exhaustive
async def test_an_account_erased_while_its_try_on_is_made_leaves_no_picture(rig: Rig, newcomer: Customer) -> None:
    """The worker waits for a create meanwhile; what comes of it brings nothing back, and the provider is told so."""
    rig.provider.expect(creates=1, cancels=1)
    before = pictures(rig)
    await rig.provider.script({"on": "create", "delay": 2})
    await newcomer.pick(portrait())
    await newcomer.generate("front", "back")
    await eventually(lambda: asked(rig))
    assert (await erase(newcomer, rig.password)).status_code == 204
    assert (await newcomer.http.get("/user/me")).status_code == 401
    await eventually(lambda: pictures(rig) <= before)
    await eventually(lambda: rig.provider.count("cancel"))


@pytest.mark.exhaustive
async def test_an_erasure_outlives_the_worker_that_carries_it_out(
    rig: Rig, newcomer: Customer, database: asyncpg.Connection
) -> None:
    """It was asked for while no worker ran, and the first to come is killed over it."""
    rig.provider.expect(creates=0)
    before = pictures(rig)
    await newcomer.pick(portrait())
    rig.worker.kill()
    assert (await erase(newcomer, rig.password)).status_code == 204
    with unusable(rig.media / "uploads"):
        rig.worker.start()
        await eventually(lambda: database.fetchval("SELECT deliveries > 0 FROM outbox"))
        rig.worker.kill()
    rig.worker.start()
    await database.execute("UPDATE outbox SET due_at = now()")
    await eventually(lambda: pictures(rig) <= before)


def pictures(rig: Rig) -> set[Path]:
    """Every upload and output there is."""
    return {file for folder in ("uploads", "images") for file in (rig.media / folder).rglob("*.jpg")}


async def asked(rig: Rig) -> bool:
    return await rig.provider.count("create") == 1
