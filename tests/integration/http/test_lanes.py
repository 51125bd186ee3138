"""A service outside that is silent holds up what needs it, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from msgspec import to_builtins

from application.mail import Mail
from bootstrap.container.persistence import WRITE_CONNECTIONS
from infrastructure.database.outbox import OutboxQueue
from infrastructure.spans import Spans
from presentation.worker.jobs import LONGEST_SECONDS, Jobs
from presentation.worker.lanes import LANES, Deliveries
from presentation.worker.metrics import JobMetrics
from tests.factories import RegisterFactory
from tests.integration.http.conftest import Start
from tests.integration.http.mailbox import mails_to
from tests.integration.http.stories import Service
from tests.integration.http.test_provider_webhook import deliver, news

MANY = 40

Until = Callable[[Callable[[], bool]], Awaitable[None]]


class Silence:
    """Those who wait for an answer, until it is given."""

    def __init__(self) -> None:
        self.waiting = 0
        self._ended = asyncio.Event()

    async def wait(self) -> None:
        self.waiting += 1
        await self._ended.wait()

    def end(self) -> None:
        self._ended.set()


@asynccontextmanager
async def working(service: Service, silence: Silence) -> AsyncIterator[Until]:
    """A worker with all its lanes; yields how to let it work until something has come of it."""
    get = service.container.get
    jobs, outbox = Jobs(service.container, await get(JobMetrics), await get(Spans)), await get(OutboxQueue)
    lanes = [Deliveries(jobs, outbox, lane) for lane in LANES]

    async def until(something: Callable[[], bool]) -> None:
        async with asyncio.timeout(8):
            while True:
                for lane in lanes:
                    await lane.look()
                await asyncio.sleep(0.01)
                if something():
                    return

    try:
        yield until
    finally:
        silence.end()
        for lane in lanes:
            await lane.drain(LONGEST_SECONDS)


@pytest.fixture
async def service(start: Start) -> Service:
    return await start(REPLICATE_CREATES_PER_MINUTE="1000000")


async def test_no_mail_waits_for_an_image_model_that_is_silent(service: Service) -> None:
    silence = Silence()
    service.model.before_answering = lambda _, __: silence.wait()
    ada = await service.customer(credits=MANY)
    style = await service.style()
    for _ in range(MANY):
        await ada.generate(style=style)
    async with working(service, silence) as until:
        await until(lambda: silence.waiting == MANY)
        somebody = RegisterFactory.build()
        await service.browser().post("/auth/register", json=to_builtins(somebody))
        await until(lambda: bool(mails_to(service, somebody.email)))
    await service.work()


async def test_no_mail_waits_for_a_worker_that_stands_still_with_the_gate(service: Service) -> None:
    """Those who want to create wait for it, with as many connections as there are."""
    ada = await service.customer(credits=MANY + 1)
    style = await service.style()
    await ada.generate(style=style)
    await service.work()
    for _ in range(MANY):
        await ada.generate(style=style)
    other_worker = await asyncpg.connect(service.settings.database_url)
    await other_worker.execute("BEGIN")
    await other_worker.execute("SELECT FROM model_gates FOR UPDATE")
    async with working(service, Silence()) as until:
        async with asyncio.timeout(8):
            await until_all_connections_wait(service, until)
        somebody = RegisterFactory.build()
        await service.browser().post("/auth/register", json=to_builtins(somebody))
        await until(lambda: bool(mails_to(service, somebody.email)))
        await other_worker.close()
    await service.work()


async def test_no_output_waits_for_a_worker_that_stands_still_with_the_gate(service: Service) -> None:
    """Those who want to create give up waiting for it, lose no attempt, and are rendered when it has let go."""
    ada = await service.customer(credits=2 * WRITE_CONNECTIONS + 1)
    style = await service.style()
    rendered = await ada.generate(style=style)
    await service.worker.drain()
    (order,) = service.model.orders
    waiting = [await ada.generate(style=style) for _ in range(2 * WRITE_CONNECTIONS)]
    other_worker = await asyncpg.connect(service.settings.database_url)
    await other_worker.execute("BEGIN")
    await other_worker.execute("SELECT FROM model_gates FOR UPDATE")
    async with working(service, Silence()) as until, asyncio.timeout(15):
        await until_all_connections_wait(service, until)
        assert await deliver(service, order.webhook, news("prediction1")) == 204
        while (await ada.status(rendered))["status"] != "COMPLETED":
            await until(lambda: True)
    assert await service.database.fetchval("SELECT max(attempt) FROM views WHERE image_id = ANY($1)", waiting) == 0
    await other_worker.close()
    await service.work_for(10)
    assert {(await ada.status(image))["status"] for image in waiting} == {"COMPLETED"}


async def until_all_connections_wait(service: Service, until: Until) -> None:
    """For a row that somebody else has."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while await service.database.fetchval(waiting) < WRITE_CONNECTIONS:
        await until(lambda: True)


async def test_no_picture_waits_for_a_mail_service_that_is_silent(service: Service) -> None:
    silence = Silence()
    send = service.mailer.send

    async def send_slowly(mail: Mail) -> None:
        await silence.wait()
        await send(mail)

    service.mailer.send = send_slowly  # type: ignore[method-assign]
    for somebody in RegisterFactory.batch(MANY):
        await service.browser().post("/auth/register", json=to_builtins(somebody))
    ada = await service.customer(credits=1)
    async with working(service, silence) as until:
        await until(lambda: silence.waiting >= 10)
        await ada.generate()
        await until(lambda: bool(service.model.orders))
    await service.work()
    assert len(service.mailer.sent) == MANY
