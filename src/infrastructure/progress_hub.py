"""The one subscription of a process: a Redis connection that hears of every try-on somebody watches here."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from application.images.progress import GoingAway, Listening, News, ProgressSignals
from domain.errors import Throttled, Unavailable
from infrastructure.progress_bell import channel_of
from infrastructure.redis import CONNECT_SECONDS

log = structlog.get_logger()

MOST_STREAMS = 20
"""Of one user in one process."""
DISCONNECTED_LOOK_SECONDS = 2.0
"""Between two looks at the log while Redis is away."""
CONNECTED_LOOK_SECONDS = 15.0
"""The same while it is there: a bell may have failed to ring."""
_PAUSE_SECONDS = 1.0
"""Between two attempts to connect."""
_PING_SECONDS = 5.0
_SILENCE_SECONDS = 10.0
"""After which a connection that does not even answer pings is given up."""
_END_SECONDS = 2.0


class ProgressHub(ProgressSignals):
    """Hands what Redis tells to the streams of this process. The connection is made for the first of them and stays.

    It subscribes to a user's channel while the user has a stream. Whenever something may have been missed (the
    channel was just subscribed, the connection was lost or is back) the streams are told to look at everything.
    """

    def __init__(self, url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS)
        self._monotonic = monotonic
        self._subscriptions: defaultdict[int, set[_Subscription]] = defaultdict(set)
        self._users_changed = asyncio.Event()
        self._is_empty = asyncio.Event()
        self._hearing: asyncio.Task[None] | None = None
        self.is_connected = False
        self.is_ending = False

    @property
    def open_streams(self) -> int:
        return sum(len(subscriptions) for subscriptions in self._subscriptions.values())

    @contextmanager
    def listen(self, user_id: int) -> Iterator[Listening]:
        if self.is_ending:
            raise Unavailable("service_unavailable", "This process is about to end.", retry_after=1)
        subscriptions = self._subscriptions[user_id]
        if len(subscriptions) >= MOST_STREAMS:
            detail = f"More than {MOST_STREAMS} streams are open at once; please close some."
            raise Throttled("rate_limited", detail, retry_after=CONNECTED_LOOK_SECONDS)
        subscription = _Subscription(self, self._monotonic)
        subscriptions.add(subscription)
        self._is_empty.clear()
        self._users_changed.set()
        if self._hearing is None:
            # For all who come after, too: it is not to be logged as the work of the first of them.
            self._hearing = asyncio.create_task(self._hear(), context=Context())
        try:
            yield subscription
        finally:
            subscriptions.discard(subscription)
            if not subscriptions:
                self._subscriptions.pop(user_id, None)
                self._users_changed.set()
            if not self._subscriptions:
                self._is_empty.set()

    async def end_streams(self) -> None:
        """Have every stream end and let no other begin; returns when all have, or after two seconds."""
        self.is_ending = True
        self._notify_all(News())
        if self._subscriptions:
            with suppress(TimeoutError):
                async with asyncio.timeout(_END_SECONDS):
                    await self._is_empty.wait()

    async def aclose(self) -> None:
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.wait({self._hearing})
        await self._redis.aclose()

    async def _hear(self) -> None:
        is_away = False
        while True:
            pubsub = self._redis.pubsub()
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    await pubsub.connect()
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._read(pubsub))
                    both.create_task(self._subscribe(pubsub))
            except* (RedisError, OSError) as failures:
                if self.is_connected or not is_away:
                    log.warning("progress_hub_disconnected", reason=type(failures.exceptions[0]).__name__)
                is_away = True
            except* Exception:  # whatever it was, the streams shall hear again
                log.exception("internal_error")
            finally:
                was_connected, self.is_connected = self.is_connected, False
                with suppress(RedisError, OSError):
                    await pubsub.aclose()
            if was_connected:
                self._notify_all(News(everything=True))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _subscribe(self, pubsub: PubSub) -> None:
        """Keep the subscriptions to those that somebody waits for, and see that Redis is still there."""
        subscribed: set[int] = set()
        while True:
            self._users_changed.clear()
            wanted = set(self._subscriptions)
            if new := wanted - subscribed:
                await pubsub.subscribe(*map(channel_of, new))
            if old := subscribed - wanted:
                await pubsub.unsubscribe(*map(channel_of, old))
            subscribed = wanted
            await pubsub.ping()
            with suppress(TimeoutError):
                async with asyncio.timeout(_PING_SECONDS):
                    await self._users_changed.wait()

    async def _read(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(timeout=_SILENCE_SECONDS)
            if message is None:
                raise ConnectionError("Redis does not answer.")
            self.is_connected = True
            user_id = _user_of(message["channel"])
            if message["type"] == "message":
                self._notify(user_id, _news_in(message["data"]))
            elif message["type"] == "subscribe":
                self._notify(user_id, News(everything=True))

    def _notify(self, user_id: int, news: News) -> None:
        for subscription in self._subscriptions.get(user_id, ()):
            subscription.notify(news)

    def _notify_all(self, news: News) -> None:
        for user_id in self._subscriptions:
            self._notify(user_id, news)


class _Subscription(Listening):
    """What one stream has not been told yet."""

    def __init__(self, hub: ProgressHub, monotonic: Callable[[], float]) -> None:
        self._hub = hub
        self._monotonic = monotonic
        self._notified = asyncio.Event()
        self._unread = News()
        self._looked_at = monotonic()

    def notify(self, news: News) -> None:
        self._unread |= news
        self._notified.set()

    async def news(self, patience: float) -> News:
        every = CONNECTED_LOOK_SECONDS if self._hub.is_connected else DISCONNECTED_LOOK_SECONDS
        to_the_look = self._looked_at + every - self._monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(patience, max(to_the_look, 0))):
                await self._notified.wait()
        if self._hub.is_ending:
            raise GoingAway
        self._notified.clear()
        news, self._unread = self._unread, News()
        if self._looked_at + every <= self._monotonic():
            news = News(everything=True)
        if news.everything:
            self._looked_at = self._monotonic()
        return news


def _user_of(channel: object) -> int:
    """Whose channel a message came by; a pong comes by none."""
    return int(channel.rpartition(b":")[2]) if isinstance(channel, bytes) else 0


def _news_in(payload: bytes) -> News:
    try:
        return News(frozenset({int(payload)}))
    except ValueError:
        return News(everything=True)  # whoever wrote it, something is new
