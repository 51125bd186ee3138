"""One connection to Redis for all streams of a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from itertools import count

import pytest
from redis.asyncio import Redis

from application.images.progress import GoingAway, Listening, News
from domain.errors import Throttled, Unavailable
from infrastructure.database.progress_log import LogGrown
from infrastructure.progress_bell import RedisProgressBell, channel_of
from infrastructure.progress_hub import MOST_STREAMS, ProgressHub

PATIENCE = 20.0

_users = count(1_000)


@pytest.fixture
async def hub(redis_url: str) -> AsyncIterator[ProgressHub]:
    hub = ProgressHub(redis_url)
    yield hub
    await hub.aclose()


@pytest.fixture
async def bell(redis_url: str) -> AsyncIterator[RedisProgressBell]:
    bell = RedisProgressBell(redis_url)
    yield bell
    await bell.aclose()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def user() -> int:
    return next(_users)


async def settled(listening: Listening) -> None:
    """Until its channel is heard: from then on nothing but news is told."""
    assert (await listening.news(PATIENCE)).everything


async def subscribers(redis: Redis, user: int) -> int:
    ((_, number),) = await redis.pubsub_numsub(channel_of(user))
    return int(number)


async def test_news_reach_the_streams_of_their_user(hub: ProgressHub, bell: RedisProgressBell, user: int) -> None:
    """All of them, and nobody else's; what came in between is told at once, each try-on once."""
    with hub.listen(user) as one, hub.listen(user) as two, hub.listen(next(_users)) as stranger:
        for listening in (one, two, stranger):
            await settled(listening)
        bell.ring([LogGrown(user, 41)])
        assert await two.news(PATIENCE) == News(frozenset({41}))
        bell.ring([LogGrown(user, 42), LogGrown(user, 41)])
        heard: set[int] = set()
        while heard != {41, 42}:
            news = await two.news(PATIENCE)
            assert news.images
            heard |= news.images
        assert await one.news(PATIENCE) == News(frozenset({41, 42}))
        assert await stranger.news(0) == News()


async def test_a_channel_is_subscribed_while_somebody_listens(hub: ProgressHub, redis: Redis, user: int) -> None:
    """Once, however many streams there are, and no longer than the last of them."""
    with hub.listen(user) as one, hub.listen(user):
        await settled(one)
        assert await subscribers(redis, user) == 1
    while await subscribers(redis, user):  # noqa: ASYNC110 - Redis tells nobody
        await asyncio.sleep(0.01)
    with hub.listen(user) as again:
        await settled(again)
        assert await subscribers(redis, user) == 1


async def test_nonsense_on_a_channel_is_a_reason_to_look_at_everything(
    hub: ProgressHub, redis: Redis, user: int
) -> None:
    with hub.listen(user) as listening:
        await settled(listening)
        await redis.publish(channel_of(user), b"\xff nonsense")
        assert await listening.news(PATIENCE) == News(everything=True)


async def test_after_a_lost_connection_everything_is_looked_at(
    hub: ProgressHub, bell: RedisProgressBell, redis: Redis, user: int
) -> None:
    """Somebody ends it on the other side: it comes back by itself, and hears as before."""
    with hub.listen(user) as listening:
        await settled(listening)
        await redis.client_kill_filter(_type="pubsub")
        assert (await listening.news(PATIENCE)).everything
        while await subscribers(redis, user) != 1 or not hub.is_connected:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        bell.ring([LogGrown(user, 41)])
        heard = await listening.news(PATIENCE)
        assert heard.everything or heard.images == {41}


async def test_without_redis_streams_look_by_the_clock(user: int) -> None:
    """Every two seconds, and the bell does no harm to whoever rings it."""
    nowhere = "redis://127.0.0.1:1/0"
    time = 0.0
    hub, bell = ProgressHub(nowhere, monotonic=lambda: time), RedisProgressBell(nowhere)
    with hub.listen(user) as listening:
        bell.ring([LogGrown(user, 41)])
        assert await listening.news(0.01) == News()
        time = 2.0
        assert await listening.news(PATIENCE) == News(everything=True)
    await hub.aclose()
    await bell.aclose()


async def test_too_many_streams_of_one_user_are_refused(hub: ProgressHub, user: int) -> None:
    with ExitStack() as streams:
        for _ in range(MOST_STREAMS):
            streams.enter_context(hub.listen(user))
        with pytest.raises(Throttled), hub.listen(user):
            pass
        with hub.listen(next(_users)):
            assert hub.open_streams == MOST_STREAMS + 1
    assert hub.open_streams == 0


async def test_streams_end_with_the_process(hub: ProgressHub, user: int) -> None:
    """Who waits is woken, who comes is refused, and the end waits for those that are leaving."""
    left = asyncio.Event()

    async def stream() -> None:
        with hub.listen(user) as listening:
            try:
                while True:
                    await listening.news(PATIENCE)
            except GoingAway:
                left.set()

    streaming = asyncio.create_task(stream())
    while not hub.open_streams:  # noqa: ASYNC110 - until the task has begun
        await asyncio.sleep(0)
    await hub.end_streams()
    assert left.is_set()
    with pytest.raises(Unavailable), hub.listen(user):
        pass
    await streaming
