"""The throttle's count in a real Redis, and what becomes of it while there is none."""

import asyncio
import os
import secrets
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bootstrap.embedded import ValkeyServer, start_valkey
from domain.errors import Throttled
from infrastructure.throttle import PREFIX, Pace, Paces, RedisThrottle

ADA = "ada@example.com"
HOME = "203.0.113.7"
SLOW = Paces(one_network=Pace(free=4, first=3600, longest=7200), all_networks=Pace(free=20, first=3600, longest=7200))
"""So slow that no delay ends within a test, however slow the machine is."""


@asynccontextmanager
async def throttle_at(
    url: str, *, key: str = "", paces: Paces = SLOW, monotonic: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[RedisThrottle]:
    throttle = RedisThrottle(url, key=key or secrets.token_hex(16), paces=paces, monotonic=monotonic)
    yield throttle
    await throttle.aclose()


async def outcomes(throttle: RedisThrottle, times: int, email: str = ADA) -> Counter[str]:
    """Try so often at once: how many were let in."""

    async def attempt() -> str:
        try:
            await throttle.admit(email, HOME)
        except Throttled:
            return "refused"
        return "let in"

    return Counter(await asyncio.gather(*(attempt() for _ in range(times))))


def nobodys_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return f"redis://:{secrets.token_hex(8)}@127.0.0.1:{port}/0"


async def test_a_burst_over_two_processes_is_counted_as_one(redis_url: str) -> None:
    """Of sixty at once, five are let in, whichever process they come to."""
    key = secrets.token_hex(16)
    async with throttle_at(redis_url, key=key) as one, throttle_at(redis_url, key=key) as other:
        both = await asyncio.gather(outcomes(one, 30), outcomes(other, 30))
    assert both[0] + both[1] == Counter({"let in": 5, "refused": 55})


async def test_a_delay_ends_and_the_next_is_longer(redis_url: str) -> None:
    """By the clock of Redis; the refusal tells the seconds that are left."""
    async with throttle_at(redis_url) as throttle, Redis.from_url(redis_url) as redis:
        for _ in range(5):  # one by one: of a burst, the last may already count the one before, and wait longer
            assert await outcomes(throttle, 1) == Counter({"let in": 1})
        (delay,) = [key async for key in redis.scan_iter(f"{PREFIX}:*:delay")]
        for doubled in (3600, 7200):
            with pytest.raises(Throttled) as refusal:
                await throttle.admit(ADA, HOME)
            assert refusal.value.code == "rate_limited"
            assert doubled - 600 < (refusal.value.retry_after or 0) <= doubled + 1
            await redis.delete(delay)
            assert await outcomes(throttle, 2) == Counter({"let in": 1, "refused": 1})


async def test_success_and_reset_clear_the_count(redis_url: str) -> None:
    async with throttle_at(redis_url) as throttle:
        for clear in (throttle.succeeded(ADA, HOME), throttle.reset(ADA)):
            assert (await outcomes(throttle, 9))["let in"] == 5
            await clear
        assert (await outcomes(throttle, 9))["let in"] == 5


async def test_nothing_personal_is_in_redis_and_nothing_stays(redis_url: str) -> None:
    """Every counter stands below our prefix, names nobody, and expires within thirty days."""
    async with throttle_at(redis_url) as throttle, Redis.from_url(redis_url, decode_responses=True) as redis:
        await outcomes(throttle, 9)
        await throttle.succeeded(ADA, HOME)
        await throttle.reset(ADA)
        await outcomes(throttle, 9)
        keys = [key async for key in redis.scan_iter("*")]
        assert keys
        assert all(key.startswith(f"{PREFIX}:") and "ada" not in key and "203.0" not in key for key in keys), keys
        assert all([0 < await redis.ttl(key) <= 30 * 86_400 for key in keys])


async def test_without_redis_the_process_counts() -> None:
    """The same way, never open, and with one warning, which names nobody."""
    with capture_logs() as log:
        async with throttle_at(nobodys_url()) as throttle:
            assert await outcomes(throttle, 30) == Counter({"let in": 5, "refused": 25})
            await throttle.succeeded(ADA, HOME)
            assert await outcomes(throttle, 9) == Counter({"let in": 5, "refused": 4})
            await throttle.reset(ADA)
            assert await outcomes(throttle, 9) == Counter({"let in": 5, "refused": 4})
    assert [(line["event"], set(line)) for line in log] == [("throttle_counts_alone", {"event", "log_level", "reason"})]


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """One that the test may stop and freeze."""
    server = start_valkey(tmp_path / "valkey", durable=False)
    yield server
    os.kill(server.pid, signal.SIGCONT)
    server.stop()


async def test_a_frozen_redis_is_given_up_and_asked_again_later(own_valkey: ValkeyServer) -> None:
    """It takes connections and answers nothing: the process counts; when Redis is back, it counts where it left off."""
    time = 0.0
    with capture_logs() as log:
        async with throttle_at(own_valkey.url, monotonic=lambda: time) as throttle:
            assert await outcomes(throttle, 5) == Counter({"let in": 5})
            os.kill(own_valkey.pid, signal.SIGSTOP)
            assert await outcomes(throttle, 7) == Counter({"let in": 5, "refused": 2})
            time += 60
            assert await outcomes(throttle, 7) == Counter({"refused": 7})
            os.kill(own_valkey.pid, signal.SIGCONT)
            assert (await outcomes(throttle, 7, "bob@example.com"))["let in"] == 5
            await throttle.reset(ADA)
            assert (await outcomes(throttle, 1))["let in"] == 1, "by the process's own count"
            time += 60
            assert await outcomes(throttle, 1) == Counter({"refused": 1}), "by the count of Redis"
    assert [line["event"] for line in log] == ["throttle_counts_alone"]
