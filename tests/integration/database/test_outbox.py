"""What every `Outbox` promises, asked of the one in memory and of the table; then how the relay hands rows on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import pytest

from application.events import Event, RegistrationMade, ViewFinishable, ViewSubmittable
from application.ports import Outbox
from infrastructure.database.outbox import OutboxRelay
from tests.in_memory import InMemoryOutbox, Transaction
from tests.integration.database.stage import Desk, Stage
from tests.unit.factories import NOW

KINDS = {event.job: event for event in (RegistrationMade, ViewFinishable, ViewSubmittable)}


class Sender(Protocol):
    """The other side: the transaction, and what has left with it."""

    outbox: Outbox

    async def now(self) -> datetime: ...

    async def commit(self) -> None: ...

    async def abandon(self) -> None: ...

    async def announced(self) -> list[tuple[Event, bool]]:
        """Each event, and whether it is to wait."""


class InMemorySender(Sender):
    def __init__(self) -> None:
        self._transaction = Transaction(NOW)
        self.outbox: InMemoryOutbox = InMemoryOutbox(self._transaction)

    async def now(self) -> datetime:
        return await self._transaction.now()

    async def commit(self) -> None:
        await self._transaction.commit()

    async def abandon(self) -> None:
        self._transaction.abandon()

    async def announced(self) -> list[tuple[Event, bool]]:
        now = await self._transaction.now()
        return [(row.event, row.not_before is not None and row.not_before > now) for row in self.outbox.announced]


class PostgresSender(Sender):
    def __init__(self, stage: Stage, desk: Desk) -> None:
        self._stage = stage
        self._desk = desk
        self.outbox = desk.outbox

    async def now(self) -> datetime:
        return await self._desk.uow.now()

    async def commit(self) -> None:
        await self._desk.uow.commit()

    async def abandon(self) -> None:
        await self._desk.session.rollback()
        await self._desk.session.close()

    async def announced(self) -> list[tuple[Event, bool]]:
        rung = set(self._stage.doorbell.answer())
        return [
            (msgspec.convert(msgspec.json.decode(row["payload"]), KINDS[row["job"]]), row["id"] not in rung)
            for row in await self._stage.outbox()
        ]


@pytest.fixture
def memory() -> Sender:
    return InMemorySender()


@pytest.fixture
async def postgres(stage: Stage) -> AsyncIterator[Sender]:
    async with stage.desk() as desk:
        yield PostgresSender(stage, desk)


@pytest.fixture(params=["memory", "postgres"])
def sender(request: pytest.FixtureRequest) -> Sender:
    found: Sender = request.getfixturevalue(request.param)
    return found


async def test_events_leave_with_the_commit_in_their_order(sender: Sender) -> None:
    """And not before it."""
    events: list[Event] = [ViewSubmittable(2**62), ViewFinishable(7), RegistrationMade(1, "a key")]
    for event in events:
        sender.outbox.add(event)
    assert await sender.announced() == []
    await sender.commit()
    assert await sender.announced() == [(event, False) for event in events]


async def test_an_event_leaves_once(sender: Sender) -> None:
    """Later transactions do not announce it again."""
    sender.outbox.add(ViewSubmittable(7))
    await sender.commit()
    await sender.commit()
    assert len(await sender.announced()) == 1


async def test_the_same_event_may_be_announced_twice(sender: Sender) -> None:
    """Consumers are idempotent; the outbox judges nothing."""
    for _ in range(2):
        sender.outbox.add(ViewSubmittable(7))
    await sender.commit()
    assert len(await sender.announced()) == 2


async def test_an_event_can_be_for_later(sender: Sender) -> None:
    """A time that has passed is no later."""
    now = await sender.now()
    sender.outbox.add(ViewSubmittable(7), not_before=now + timedelta(seconds=60))
    sender.outbox.add(ViewSubmittable(8), not_before=now - timedelta(seconds=60))
    sender.outbox.add(ViewSubmittable(9), not_before=now)
    await sender.commit()
    assert [waits for _, waits in await sender.announced()] == [True, False, False]


async def test_without_a_commit_nothing_is_announced(sender: Sender) -> None:
    sender.outbox.add(ViewSubmittable(7))
    await sender.abandon()
    assert await sender.announced() == []


# The relay


async def announce(stage: Stage, number: int = 1, *, due_in: float = 0) -> list[int]:
    """Rows that are due so many seconds from now, whose bell nobody heard."""
    async with stage.desk() as desk:
        for view_id in range(number):
            desk.outbox.add(ViewSubmittable(view_id))
        await desk.uow.commit()
    rows = stage.doorbell.answer()
    due = timedelta(seconds=due_in)
    await stage.database.execute("UPDATE outbox SET due_at = now() + $1 WHERE id = ANY($2)", due, rows)
    return rows


async def due_in(stage: Stage, row: int) -> float:
    seconds = await stage.database.fetchval("SELECT extract(epoch FROM due_at - now()) FROM outbox WHERE id = $1", row)
    return float(seconds)


async def test_the_bell_is_rung_for_what_is_due_at_once_and_the_relay_keeps_out_of_the_way(stage: Stage) -> None:
    """For five seconds; then it takes it that the bell was not heard."""
    async with stage.desk() as desk:
        desk.outbox.add(ViewSubmittable(7))
        await desk.uow.commit()
    (row,) = stage.doorbell.answer()
    assert 3 < await due_in(stage, row) <= 5
    assert await OutboxRelay(stage.engine).take_due(10) == []


async def test_no_bell_is_rung_for_what_waits_or_for_nothing(stage: Stage) -> None:
    async with stage.desk() as desk:
        await desk.uow.commit()
        later = await desk.uow.now() + timedelta(seconds=60)
        desk.outbox.add(ViewSubmittable(7), not_before=later)
        await desk.uow.commit()
    assert stage.doorbell.answer() == []
    assert [row["due_at"] for row in await stage.outbox()] == [later]


async def test_due_rows_are_taken_in_turn_and_come_again(stage: Stage) -> None:
    """With a new delivery number each time, so that their jobs are not taken for one."""
    relay = OutboxRelay(stage.engine)
    (waiting,) = await announce(stage, due_in=60)
    rows = await announce(stage, 3)
    assert sorted(await relay.take_due(10)) == [(row, 1) for row in rows]
    assert await relay.take_due(10) == []
    await stage.database.execute("UPDATE outbox SET due_at = now() WHERE id <> $1", waiting)
    assert sorted(await relay.take_due(10)) == [(row, 2) for row in rows]


async def test_a_row_that_is_never_done_comes_more_and_more_slowly(stage: Stage) -> None:
    """After half a minute, then twice as long each time, up to 16 minutes, for ever."""
    relay = OutboxRelay(stage.engine)
    (row,) = await announce(stage)
    waits = []
    for _ in range(8):
        await stage.database.execute("UPDATE outbox SET due_at = now()")
        assert len(await relay.take_due(10)) == 1
        waits.append(round(await due_in(stage, row) / 10) * 10)
    assert waits == [30, 60, 120, 240, 480, 960, 960, 960]
    await stage.database.execute("UPDATE outbox SET due_at = now(), deliveries = 2000000000")
    assert await relay.take_due(10) == [(row, 2_000_000_001)]


async def test_a_bell_that_cannot_be_rung_costs_a_row_nothing(stage: Stage) -> None:
    """It is due again in a second, and neither slower nor later for it, however long Redis is away."""
    relay = OutboxRelay(stage.engine)
    (row,) = await announce(stage)
    for _ in range(20):
        await stage.database.execute("UPDATE outbox SET due_at = now()")
        taken = await relay.take_due(10)
        assert taken == [(row, 1)]
        await relay.put_back(taken)
        assert 0 < await due_in(stage, row) <= 1


async def test_two_relays_never_take_the_same_row(stage: Stage) -> None:
    rows = await announce(stage, 200)
    relays = [OutboxRelay(stage.engine) for _ in range(4)]
    taken = [row for batch in await asyncio.gather(*(relay.take_due(30) for relay in relays * 3)) for row in batch]
    assert len(taken) == len(set(taken))
    while batch := await relays[0].take_due(30):
        taken += batch
    assert sorted(taken) == [(row, 1) for row in rows]


async def test_a_batch_is_no_larger_than_asked_for(stage: Stage) -> None:
    """Whatever the planner makes of the statement."""
    await announce(stage, 100)
    await stage.database.execute("ANALYZE outbox")
    assert len(await OutboxRelay(stage.engine).take_due(7)) == 7


async def test_a_row_says_what_it_announces_until_it_is_done(stage: Stage) -> None:
    relay = OutboxRelay(stage.engine)
    row, other = await announce(stage, 2)
    delivery = await relay.delivery(row)
    assert delivery is not None
    assert (delivery.job, delivery.payload) == ("submit_view", {"view_id": 0})
    await relay.done(row)
    await relay.done(row)
    assert await relay.delivery(row) is None
    assert await relay.delivery(other) is not None
