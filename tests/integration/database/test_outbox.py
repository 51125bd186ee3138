"""What every `Outbox` promises, asked of the one in memory and of the table; then how workers take rows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import pytest

from application.events import Event, RegistrationMade, ViewFinishable, ViewSubmittable
from application.ports import Outbox
from infrastructure.database.outbox import OutboxQueue
from infrastructure.database.transaction import open_write_pool
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
        now = await self._stage.now()
        return [
            (msgspec.convert(msgspec.json.decode(row["payload"]), KINDS[row["job"]]), row["due_at"] > now)
            for row in await self._stage.outbox()
        ]


@pytest.fixture
def memory() -> Sender:
    return InMemorySender()


@pytest.fixture
async def postgres(stage: Stage) -> AsyncIterator[Sender]:
    async with stage.desk() as desk:
        yield PostgresSender(stage, desk)


@pytest.fixture
async def queue(database_url: str) -> AsyncIterator[OutboxQueue]:
    async with open_write_pool(database_url, connections=4) as pool:
        yield OutboxQueue(pool)


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


# The queue


async def announce(stage: Stage, number: int = 1, *, due_in: float = 0) -> list[int]:
    """Rows that are due so many seconds from now."""
    known = {row["id"] for row in await stage.outbox()}
    async with stage.desk() as desk:
        for view_id in range(number):
            desk.outbox.add(ViewSubmittable(view_id))
        await desk.uow.commit()
    rows = [row["id"] for row in await stage.outbox() if row["id"] not in known]
    due = timedelta(seconds=due_in)
    await stage.database.execute("UPDATE outbox SET due_at = now() + $1 WHERE id = ANY($2)", due, rows)
    return rows


async def taken(queue: OutboxQueue, limit: int = 10, done: Sequence[int] = ()) -> list[int]:
    return [delivery.id for delivery in await queue.exchange(done, limit, KINDS)]


async def test_what_is_under_way_is_left_alone_though_it_is_due_again(stage: Stage, queue: OutboxQueue) -> None:
    """Another worker may take it: whoever has it may stand still."""
    slow, other = await announce(stage, 2)
    assert [delivery.id for delivery in await queue.exchange([], 10, KINDS, besides=[slow])] == [other]
    assert await taken(queue) == [slow]


async def due_in(stage: Stage, row: int) -> float:
    seconds = await stage.database.fetchval("SELECT extract(epoch FROM due_at - now()) FROM outbox WHERE id = $1", row)
    return float(seconds)


async def test_the_bell_is_rung_once_for_what_is_due_and_not_for_what_waits(stage: Stage) -> None:
    async with stage.desk() as desk:
        await desk.uow.commit()
        later = await desk.uow.now() + timedelta(seconds=60)
        desk.outbox.add(ViewSubmittable(7), not_before=later)
        await desk.uow.commit()
        assert stage.doorbell.rings == 0
        desk.outbox.add(ViewSubmittable(8))
        desk.outbox.add(ViewSubmittable(9))
        await desk.uow.commit()
        assert stage.doorbell.rings == 1
    assert (await stage.outbox())[0]["due_at"] == later


async def test_what_is_taken_says_what_it_announces(stage: Stage, queue: OutboxQueue) -> None:
    await announce(stage, 2)
    told = [(delivery.job, delivery.payload) for delivery in await queue.exchange([], 10, KINDS)]
    assert told == [("submit_view", {"view_id": 0}), ("submit_view", {"view_id": 1})]


async def test_only_the_jobs_that_were_asked_for_are_taken(stage: Stage, queue: OutboxQueue) -> None:
    """Whatever else has been due for longer; what was done is struck out all the same."""
    first, *others = await announce(stage, 3)
    async with stage.desk() as desk:
        desk.outbox.add(RegistrationMade(1, "a key"))
        await desk.uow.commit()
    told = [delivery.job for delivery in await queue.exchange([first], 10, [RegistrationMade.job])]
    assert told == ["send_verification_mail"]
    assert await taken(queue) == others


async def test_due_rows_are_taken_in_turn_and_come_again_until_they_are_done(stage: Stage, queue: OutboxQueue) -> None:
    (waiting,) = await announce(stage, due_in=60)
    rows = await announce(stage, 3)
    assert await taken(queue) == rows
    assert await taken(queue) == []
    await stage.database.execute("UPDATE outbox SET due_at = now() WHERE id <> $1", waiting)
    assert await taken(queue, done=rows[:1]) == rows[1:]
    assert await taken(queue, done=rows) == []
    assert [row["id"] for row in await stage.outbox()] == [waiting]


async def test_a_row_that_is_never_done_comes_more_and_more_slowly(stage: Stage, queue: OutboxQueue) -> None:
    """After five seconds, then half a minute, then twice as long each time, up to 16 minutes, for ever."""
    (row,) = await announce(stage)
    waits = []
    for _ in range(9):
        await stage.database.execute("UPDATE outbox SET due_at = now()")
        assert await taken(queue) == [row]
        waits.append(round(await due_in(stage, row) / 5) * 5)
    assert waits == [5, 30, 60, 120, 240, 480, 960, 960, 960]
    await stage.database.execute("UPDATE outbox SET due_at = now(), deliveries = 2000000000")
    assert await taken(queue) == [row]


async def test_two_workers_never_take_the_same_row(stage: Stage, queue: OutboxQueue) -> None:
    rows = await announce(stage, 200)
    found = [row for batch in await asyncio.gather(*(taken(queue, 30) for _ in range(12))) for row in batch]
    assert len(found) == len(set(found))
    while batch := await taken(queue, 30):
        found += batch
    assert sorted(found) == rows


async def test_no_more_is_taken_than_asked_for(stage: Stage, queue: OutboxQueue) -> None:
    """Whatever the planner makes of the statement; without room, what is done is struck out all the same."""
    rows = await announce(stage, 100)
    await stage.database.execute("ANALYZE outbox")
    assert len(await taken(queue, 7)) == 7
    assert await taken(queue, 0, done=rows) == []
    assert await stage.outbox() == []
