"""Tells the other processes what this one has counted, and hears what they have."""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any, NewType, cast
from urllib.parse import urlsplit

import structlog
from msgspec import DecodeError, msgpack
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import RedisError

from infrastructure.metrics.series import Family, families_of
from infrastructure.redis import open_pool

log = structlog.get_logger()

ProcessName = NewType("ProcessName", str)

COMMAND = "command"
"""The role of a process that is neither API nor worker: it ends before anybody could ask it."""
PUBLISH_SECONDS = 5.0
LIFE_SECONDS = 30
"""What a process told is shown so long after it: what it counted last is seen by whoever scrapes twice a minute."""
_PROCESSES = "hairtryon:metrics"
_ANSWER_SECONDS = 1.0

_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(list[Family]).decode


def process_name(role: str) -> ProcessName:
    """`worker@host:pid`: no two that live have the same, and one that is started again may."""
    return ProcessName(f"{role}@{socket.gethostname()}:{os.getpid()}")


def role_of(name: ProcessName) -> str:
    return name.partition("@")[0]


class MetricsExchange:
    """Every process keeps a snapshot of its own in Redis, under a key that expires, and its name in a set.

    Whoever reads finds the names, then the snapshots, and strikes out names without one; who lives adds its own again.
    """

    def __init__(
        self, url: str, registry: CollectorRegistry, name: ProcessName, *, life_seconds: float = LIFE_SECONDS
    ) -> None:
        self.name = name
        self._registry = registry
        self._life_ms = round(life_seconds * 1000)
        # The host only; the address may hold a password.
        self._host = urlsplit(url).hostname
        self._redis = Redis.from_pool(open_pool(url, connections=2, answer_seconds=_ANSWER_SECONDS))
        self._is_away = False
        self._ends = False

    async def publish_for_ever(self) -> None:
        """Until it is cancelled after `end`: a client of Redis may make of that alone an error like any other."""
        while not self._ends:
            try:
                await self.publish()
            except Exception:  # one that cannot be made or sent is no reason not to try the next
                log.exception("metrics_not_made")
            if not self._ends:
                await asyncio.sleep(PUBLISH_SECONDS)

    def end(self) -> None:
        self._ends = True

    async def publish(self) -> None:
        """Tell how this process stands; what cannot be told is told the next time."""
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.sadd(_PROCESSES, self.name)
                pipe.set(_key(self.name), _encode(families_of(self._registry)), px=self._life_ms)
                await pipe.execute()
        except (RedisError, OSError) as failure:
            if not self._is_away:
                log.warning("metrics_not_told", host=self._host, reason=type(failure).__name__)
            self._is_away = True
        else:
            self._is_away = False

    async def others(self) -> dict[str, list[Family]] | None:
        """What every other living process counted, by its name; None while Redis is away."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._read()
        except (RedisError, OSError):
            return None

    async def aclose(self) -> None:
        """Tell the last state, for somebody may ask once more before it expires."""
        await self.publish()
        with suppress(RedisError, OSError):
            await self._redis.aclose()

    async def _read(self) -> dict[str, list[Family]]:
        names = await cast("Any", self._redis.smembers(_PROCESSES))
        others = sorted(name.decode() for name in names if name.decode() != self.name)
        if not others:
            return {}
        found: dict[str, list[Family]] = {}
        for name, snapshot in zip(others, await self._redis.mget(map(_key, others)), strict=True):
            if snapshot is None:
                await cast("Any", self._redis.srem(_PROCESSES, name))
                continue
            with suppress(DecodeError):  # of another version, while one replaces the other
                found[name] = _decode(snapshot)
        return found


def _key(name: str) -> str:
    return f"{_PROCESSES}:{name}"
