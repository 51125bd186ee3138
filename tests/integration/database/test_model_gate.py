"""What every `ModelGate` promises, asked of the one in memory and of the row; then many workers at once before it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from application.images.model_gate import (
    FAILURES,
    OVER_IMAGES,
    PROBE_AFTER,
    UNPAID_PAUSE,
    CreateRate,
    ModelGate,
    TurnedAway,
)
from domain.errors import Unavailable
from domain.views import ViewError
from infrastructure.alerts import LoggedAlerts
from infrastructure.database.model_gate import SqlModelGate
from infrastructure.database.tally import Tally
from tests.in_memory import InMemoryModelGate, Transaction
from tests.integration.database.stage import Stage
from tests.unit.factories import NOW

MODEL = "somebody/some-model"
SLOW = CreateRate(60)
"""A burst of 3, then one about every second: so seldom that no test makes the time pass by being slow."""
LONG_AGO = timedelta(hours=1)


class Gate(Protocol):
    """A gate whose every call is a transaction of its own."""

    async def call(self, work: Callable[[ModelGate], Awaitable[TurnedAway | None]]) -> TurnedAway | None: ...

    async def now(self) -> datetime: ...

    async def pass_time(self, time: timedelta) -> None: ...


class InMemoryGate(Gate):
    def __init__(self) -> None:
        self._transaction = Transaction(NOW)
        self._gate = InMemoryModelGate(self._transaction, SLOW)

    async def call(self, work: Callable[[ModelGate], Awaitable[TurnedAway | None]]) -> TurnedAway | None:
        told = await work(self._gate)
        await self._transaction.commit()
        return told

    async def now(self) -> datetime:
        return await self._transaction.now()

    async def pass_time(self, time: timedelta) -> None:
        self._transaction.time += time


class PostgresGate(Gate):
    """Time passes by moving everything that the row remembers into the past."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def call(self, work: Callable[[ModelGate], Awaitable[TurnedAway | None]]) -> TurnedAway | None:
        async with gate_of(self._stage) as gate:
            return await work(gate)

    async def now(self) -> datetime:
        return await self._stage.now()

    async def pass_time(self, time: timedelta) -> None:
        columns = ("closed_until", "next_create_at", "next_return_at")
        moved = ", ".join(f"{column} = {column} - $1::interval" for column in columns)
        await self._stage.database.execute(f"UPDATE model_gates SET {moved}", time)  # noqa: S608 - the columns above


@asynccontextmanager
async def gate_of(stage: Stage, rate: CreateRate = SLOW, *, model: str = MODEL) -> AsyncIterator[ModelGate]:
    """A gate in a transaction that is committed in the end."""
    async with stage.desk() as desk:
        yield SqlModelGate(desk.transaction, desk.tally, LoggedAlerts(CollectorRegistry()), model=model, rate=rate)
        await desk.uow.commit()


@pytest.fixture
def memory() -> Gate:
    return InMemoryGate()


@pytest.fixture
def postgres(stage: Stage) -> Gate:
    return PostgresGate(stage)


@pytest.fixture(params=["memory", "postgres"])
def gate(request: pytest.FixtureRequest) -> Gate:
    found: Gate = request.getfixturevalue(request.param)
    return found


def admit(gate: ModelGate) -> Awaitable[TurnedAway | None]:
    return gate.admit()


async def fail(gate: Gate, times: int = FAILURES, *, images: int = OVER_IMAGES) -> None:
    """As from creates that were let through before."""
    assert await gate.call(admit) is None
    await gate.pass_time(LONG_AGO)

    async def one_more(of: ModelGate, image: int) -> None:
        await of.failed(image)

    for number in range(times):
        await gate.call(lambda of, image=number % images: one_more(of, image))  # type: ignore[misc]


async def answered(of: ModelGate) -> None:
    await of.answered()


async def test_a_burst_goes_through_and_the_next_are_told_different_times(gate: Gate) -> None:
    assert [await gate.call(admit) for _ in range(SLOW.burst)] == [None] * SLOW.burst
    told = [await gate.call(admit) for _ in range(3)]
    now = await gate.now()
    times = [each.until for each in told if each]
    assert {each.error for each in told if each} == {ViewError.PROVIDER_BUSY}
    assert len(times) == 3
    assert times == sorted(set(times))
    assert now < times[0] <= times[-1] < now + 5 * SLOW.interval
    await gate.pass_time(SLOW.interval)
    assert await gate.call(admit) is None
    assert await gate.call(admit) is not None


async def test_after_a_long_quiet_time_there_is_one_burst_and_no_more(gate: Gate) -> None:
    assert await gate.call(admit) is None
    await gate.pass_time(LONG_AGO)
    told = [await gate.call(admit) for _ in range(SLOW.burst + 1)]
    assert [each is None for each in told] == [True] * SLOW.burst + [False]


@pytest.mark.parametrize(("times", "images"), [(FAILURES - 1, OVER_IMAGES), (2 * FAILURES, OVER_IMAGES - 1)])
async def test_too_few_failures_or_images_close_nothing(gate: Gate, times: int, images: int) -> None:
    await fail(gate, times, images=images)
    assert await gate.call(admit) is None


async def test_failures_in_a_row_close_the_gate(gate: Gate) -> None:
    """For five seconds; then one is let through, and nobody after it for five more."""
    await fail(gate)
    told = await gate.call(admit)
    assert told is not None
    assert told.error is ViewError.PROVIDER_UNAVAILABLE
    assert told.until > await gate.now() + PROBE_AFTER - timedelta(seconds=4)
    for _ in range(2):
        await gate.pass_time(PROBE_AFTER)
        assert await gate.call(admit) is None
        assert await gate.call(admit) is not None


async def test_an_answer_opens_the_gate_and_begins_the_count_anew(gate: Gate) -> None:
    await fail(gate)
    await gate.call(answered)
    assert await gate.call(admit) is None
    await fail(gate, FAILURES - 1)
    assert await gate.call(admit) is None


async def test_a_provider_that_wants_money_is_asked_again_after_a_minute(gate: Gate) -> None:
    assert await gate.call(admit) is None
    told = await gate.call(lambda of: of.unpaid())
    assert told is not None
    assert told.until > await gate.now() + UNPAID_PAUSE - timedelta(seconds=10)
    await gate.pass_time(UNPAID_PAUSE / 2)
    assert await gate.call(admit) is not None
    await gate.pass_time(UNPAID_PAUSE / 2)
    assert await gate.call(admit) is None
    assert await gate.call(admit) is not None


# The row


async def test_operators_hear_once_of_each_outage(postgres: Gate) -> None:
    """However many failures there are while it lasts; and of exhausted credit by an alert."""
    with capture_logs() as lines:
        await fail(postgres, 3 * FAILURES)
        for _ in range(3):
            await postgres.call(lambda of: of.unpaid())
        await postgres.call(answered)
        await postgres.call(answered)
    assert [(line["event"], line.get("kind")) for line in lines if line["log_level"] != "info"] == [
        ("image_model_gate_closed", None),
        ("operator_alert", "provider_credit_exhausted"),
        ("image_model_gate_opened", None),
    ]


async def test_many_workers_at_once_are_no_more_than_the_rate_lets_through(stage: Stage) -> None:
    """A burst, and what the seconds of the test itself have brought."""
    rate = CreateRate(600)
    async with gate_of(stage, rate) as gate:
        await gate.admit()
    await PostgresGate(stage).pass_time(LONG_AGO)

    async def worker() -> int:
        let_through = 0
        for _ in range(20):
            async with gate_of(stage, rate) as gate:
                let_through += await gate.admit() is None
        return let_through

    begun = await stage.now()
    let_through = sum(await asyncio.gather(*(worker() for _ in range(8))))
    seconds = await stage.now() - begun
    assert rate.burst <= let_through <= rate.burst + seconds / rate.interval + 1


async def test_of_many_workers_at_once_one_is_the_probe(stage: Stage) -> None:
    gate = PostgresGate(stage)
    await fail(gate)
    await gate.pass_time(PROBE_AFTER)
    told = await asyncio.gather(*(gate.call(admit) for _ in range(8)))
    assert told.count(None) == 1
    assert len({each.until for each in told if each}) == 7


async def one_failure(gate: ModelGate) -> None:
    await gate.failed(1)


@pytest.mark.parametrize("call", [admit, one_failure])
async def test_nobody_waits_long_for_who_stands_still_with_the_row(
    stage: Stage, call: Callable[[ModelGate], Awaitable[TurnedAway | None]]
) -> None:
    """It is given up long before the transaction would be ended for it, so that its connection serves others."""
    gate = PostgresGate(stage)
    await gate.call(admit)
    async with stage.write_pool.transaction() as transaction, stage.database.transaction():
        await stage.database.execute("SELECT FROM model_gates FOR UPDATE")
        waiting = SqlModelGate(
            transaction, Tally(stage.metrics), LoggedAlerts(CollectorRegistry()), model=MODEL, rate=SLOW
        )
        with pytest.raises(Unavailable) as refusal:
            await call(waiting)
    assert isinstance(refusal.value.__cause__, asyncpg.LockNotAvailableError)
    assert await gate.call(call) is None


async def test_what_was_not_committed_took_nothing(stage: Stage) -> None:
    """A claim that came to nothing leaves its place to the next."""
    async with stage.desk() as desk:
        for _ in range(SLOW.burst):
            assert (
                await SqlModelGate(
                    desk.transaction, desk.tally, LoggedAlerts(CollectorRegistry()), model=MODEL, rate=SLOW
                ).admit()
                is None
            )
    assert [await PostgresGate(stage).call(admit) for _ in range(SLOW.burst)] == [None] * SLOW.burst


async def test_an_answer_writes_nothing_when_there_is_nothing_to_reset(stage: Stage) -> None:
    gate = PostgresGate(stage)
    await gate.call(admit)
    version = "SELECT xmin::text || ctid::text || xmax::text FROM model_gates"
    before = await stage.database.fetchval(version)
    await gate.call(answered)
    assert await stage.database.fetchval(version) == before


async def test_each_model_has_a_gate_of_its_own(stage: Stage) -> None:
    for model in ("one/model", "another/model"):
        for _ in range(SLOW.burst):
            async with gate_of(stage, model=model) as gate:
                assert await gate.admit() is None
