"""How a worker does what the outbox announces: so much at once, struck out when it is done, and not before."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

import pytest
from dishka import AsyncContainer, Provider, Scope, make_async_container
from msgspec import Struct
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from application.events import PictureDiscarded
from application.images.discard_picture import DiscardPictureHandler
from application.images.ports import PictureStorage
from domain.errors import Unavailable
from infrastructure.origins import Origin
from infrastructure.spans import NoSpans
from presentation.worker.jobs import CONSUMERS, Jobs
from presentation.worker.lanes import LANES, Announcements, Deliveries, Lane
from presentation.worker.metrics import JobMetrics
from tests.fakes import InMemoryStorage


class Row(Struct, frozen=True):
    id: int
    job: str
    payload: Mapping[str, object]
    origin: Origin = Origin()


class Outbox(Announcements):
    """Rows that are due until they are taken, and there until they are struck out."""

    def __init__(self) -> None:
        self.due: list[Row] = []
        self.there: set[int] = set()
        self.is_away = False

    def announce(self, *keys: str) -> None:
        for key in keys:
            row = Row(len(self.there) + 1, "discard_picture", {"key": key})
            self.due.append(row)
            self.there.add(row.id)

    async def exchange(
        self, done: Collection[int], limit: int, jobs: Collection[str], *, besides: Collection[int] = ()
    ) -> Sequence[Row]:
        if self.is_away:
            raise Unavailable("service_unavailable", "Away.")
        self.there -= set(done)
        taken = [row for row in self.due if row.job in jobs and row.id not in besides][:limit]
        self.due = [row for row in self.due if row not in taken]
        return taken


class SlowStorage(InMemoryStorage):
    """Deletes when it is told that it may."""

    def __init__(self) -> None:
        super().__init__()
        self.deleting: list[str] = []
        self.may_go_on = asyncio.Event()

    async def delete(self, key: str) -> None:
        self.deleting.append(key)
        await self.may_go_on.wait()
        await super().delete(key)


@pytest.fixture
def storage() -> SlowStorage:
    return SlowStorage()


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
async def deliveries(storage: SlowStorage, outbox: Outbox) -> AsyncIterator[Deliveries]:
    provider = Provider(scope=Scope.REQUEST)
    provider.provide(DiscardPictureHandler)
    provider.provide(lambda: storage, provides=PictureStorage)
    container: AsyncContainer = make_async_container(provider)
    jobs = Jobs(container, JobMetrics(CollectorRegistry()), NoSpans())
    yield Deliveries(jobs, outbox, Lane((PictureDiscarded,), 2))
    await container.close()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_is_begun_than_there_is_room_for(
    deliveries: Deliveries, outbox: Outbox, storage: SlowStorage
) -> None:
    """The others stay where another worker may take them."""
    outbox.announce("a", "b", "c")
    assert await deliveries.look(), "there may be more"
    await settle()
    assert not await deliveries.look()
    assert (storage.deleting, [row.payload["key"] for row in outbox.due]) == (["a", "b"], ["c"])
    storage.may_go_on.set()
    await settle()
    assert deliveries.news.is_set(), "there is room again"
    assert not await deliveries.look()
    await settle()
    assert storage.deleting == ["a", "b", "c"]


async def test_what_is_due_again_while_it_is_under_way_takes_up_no_second_place(
    deliveries: Deliveries, outbox: Outbox, storage: SlowStorage
) -> None:
    """That is for others to have; once it has come to its end, and failed, it may be begun anew."""
    outbox.announce("a")
    (slow,) = outbox.due
    await deliveries.look()
    await settle()
    outbox.due.append(slow)
    outbox.announce("b")
    await deliveries.look()
    await settle()
    assert storage.deleting == ["a", "b"]
    storage.is_away = True
    storage.may_go_on.set()
    await settle()
    await deliveries.look()
    await settle()
    assert storage.deleting == ["a", "b", "a"]


def test_every_job_has_its_lane() -> None:
    lanes = [event for lane in LANES for event in lane.events]
    assert (len(lanes), set(lanes)) == (len(CONSUMERS), set(CONSUMERS))


async def test_what_is_done_is_struck_out_by_the_next_look(
    deliveries: Deliveries, outbox: Outbox, storage: SlowStorage
) -> None:
    """Not before it is done; and by a later one, when the database is away just then."""
    outbox.announce("a")
    await deliveries.look()
    await deliveries.look()
    assert outbox.there == {1}
    storage.may_go_on.set()
    await settle()
    outbox.is_away = True
    with pytest.raises(Unavailable):
        await deliveries.look()
    outbox.is_away = False
    await deliveries.look()
    assert outbox.there == set()


async def test_what_failed_is_left_and_takes_up_no_room(
    deliveries: Deliveries, outbox: Outbox, storage: SlowStorage
) -> None:
    """Whether the storage was away, or the row says what nobody understands."""
    storage.is_away = True
    storage.may_go_on.set()
    outbox.announce("a")
    outbox.due.append(Row(2, "discard_picture", {"no": "key"}))
    outbox.there.add(2)
    with capture_logs() as log:
        await deliveries.look()
        await settle()
    assert [line["event"] for line in log] == ["job_put_off", "job_failed"]
    storage.is_away = False
    outbox.announce("c")
    await deliveries.look()
    await settle()
    await deliveries.look()
    assert outbox.there == {1, 2}


async def test_draining_waits_for_what_has_begun_and_strikes_it_out(
    deliveries: Deliveries, outbox: Outbox, storage: SlowStorage
) -> None:
    outbox.announce("a", "b")
    await deliveries.look()
    draining = asyncio.create_task(deliveries.drain(60))
    await settle()
    assert not draining.done()
    storage.may_go_on.set()
    await draining
    assert outbox.there == set()


async def test_draining_cuts_off_what_takes_too_long_and_leaves_it_to_others(
    deliveries: Deliveries, outbox: Outbox, storage: SlowStorage
) -> None:
    """Even while the database is away."""
    outbox.announce("a")
    await deliveries.look()
    await settle()
    outbox.is_away = True
    await deliveries.drain(0.001)
    assert storage.deleting == ["a"]
    assert outbox.there == {1}
