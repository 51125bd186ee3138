"""The rig, and the five things that hold after every test of a fault."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from application.actor import Actor
from application.credits.audit_ledger import AuditLedger, AuditLedgerHandler
from infrastructure.database.engine import open_read_pool
from infrastructure.database.readers import SqlLedgerAuditor
from tests.faults.customer import Customer
from tests.faults.rig import Rig, portrait
from tests.faults.shop import Shop

CREDITS = 100_000
_PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="session")
def _rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("rig"))
    yield rig
    try:
        rig.hairtryon("credits", "audit")
    finally:
        rig.close()


@pytest.fixture
async def rig(_rig: Rig) -> AsyncIterator[Rig]:
    """The rig with all its parts running and nothing scripted. Afterwards, the five things are looked at."""
    await _reset(_rig)
    since = _rig.log_sizes()
    yield _rig
    _rig.mend()
    try:
        await _hold(_rig, since)
    finally:
        await _reset(_rig)


@pytest.fixture
async def database(rig: Rig) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(rig.postgres.url)
    yield connection
    await connection.close()


@pytest.fixture
async def customer(rig: Rig) -> AsyncIterator[Customer]:
    """A customer with plenty of credits, a hairstyle and an uploaded photo."""
    if not rig.token:
        rig.token = await _sign_up(rig, rig.email)
        rig.hairtryon("credits", "grant", rig.email, str(CREDITS), "--reason", "for tests")
    async with Customer(rig.url, rig.sandbox_url, rig.token) as customer:
        await customer.pick(portrait())
        yield customer


@pytest.fixture
async def newcomer(rig: Rig) -> AsyncIterator[Customer]:
    """As `customer`, with the three free credits and none else."""
    token = await _sign_up(rig, f"{rig.new_canary()}@example.org")
    async with Customer(rig.url, rig.sandbox_url, token) as customer:
        await customer.pick(portrait())
        yield customer


@pytest.fixture
async def shop(rig: Rig, customer: Customer) -> Shop:
    """Where that customer buys credits. The provider's webhooks come at once, the reconciler not by itself."""
    return Shop(customer, rig.dodo)


async def _sign_up(rig: Rig, email: str) -> str:
    async with Customer(rig.url, rig.sandbox_url) as visitor:
        assert (await visitor.register(email, rig.password)).status_code == 202
        mailed = await visitor.mailed_token(email)
        tokens = await visitor.verify(mailed)
    rig.canaries += [mailed, tokens["access_token"], tokens["refresh_token"]]
    return tokens["access_token"]


async def _reset(rig: Rig) -> None:
    await rig.provider.reset()
    await rig.mail_service.reset()
    await rig.dodo.reset()
    rig.expect_alerts()
    connection = await asyncpg.connect(rig.postgres.url)
    try:
        # What one test has ordered is not to be asked about in another, nor to count as one of twenty unpaid orders.
        await connection.execute(
            "UPDATE transactions SET ask_at = NULL, created_at = created_at - interval '2 days' "
            "WHERE ask_at IS NOT NULL OR created_at > now() - interval '1 day'"
        )
        # Failures in a row, of one test after the other, are no outage.
        await connection.execute("UPDATE model_gates SET failures = 0, failed_images = '{}', closed_until = NULL")
        await connection.execute("UPDATE model_gates SET reason = NULL, next_return_at = NULL")
    finally:
        await connection.close()


async def _hold(rig: Rig, since: dict[Path, int]) -> None:
    """Check the five things, after whatever waits in the outbox has had its turn."""
    await _empty_outbox(rig)
    async with open_read_pool(rig.postgres.url, connections=1) as pool:
        audit = await AuditLedgerHandler(auditor=SqlLedgerAuditor(pool))(AuditLedger(), Actor.operator("rig"))
    assert audit.balanced, audit

    connection = await asyncpg.connect(rig.postgres.url)
    try:
        left = await connection.fetch("SELECT * FROM views WHERE status IN ('PENDING', 'PROCESSING')")
    finally:
        await connection.close()
    assert not left, "nothing is open, so that nothing can be past its deadline"

    answered = [line for line in rig.logged(since, "api") if line.get("event") == "request"]
    assert not [line for line in answered if line["status"] >= 500 and line["status"] not in {502, 503}]

    ours = [line for line in rig.logged(since) if "logger" not in line]
    assert [line["kind"] for line in ours if line["event"] == "operator_alert"] == rig.alerts
    unforeseen = [line for line in ours if line["level"] == "error" and line["event"] != "operator_alert"]
    assert not unforeseen, json.dumps(unforeseen[0], indent=2).replace("\\n", "\n")

    for program, text in rig.written(since):
        assert not [secret for secret in rig.canaries if secret in text], f"{program} tells a secret"

    called = {operation: await rig.provider.count(operation) for operation in ("create", "cancel")}
    assert called == rig.provider.expected, "the provider was called oftener or more seldom than the test says"


async def _empty_outbox(rig: Rig) -> None:
    """Have workers do at once what was announced for later, until all of it has been done."""
    connection = await asyncpg.connect(rig.postgres.url)
    try:
        await connection.execute("UPDATE outbox SET due_at = now()")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while left := await connection.fetch("SELECT job, payload, deliveries, due_at FROM outbox"):
            assert time.monotonic() < deadline, [dict(row) for row in left]
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
