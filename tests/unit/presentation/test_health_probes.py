"""How readiness is found out."""

import asyncio

import pytest

from presentation.http.health import HealthProbes


class Dependency:
    """Answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_away = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def ping(self) -> None:
        self.asked += 1
        await self.answers.wait()
        if self.is_away:
            raise ConnectionError("away")


class World:
    def __init__(self) -> None:
        self.time = 1_000.0
        self.database, self.redis = Dependency(), Dependency()
        self.probes = HealthProbes({"database": self.database.ping}, {"redis": self.redis.ping}, lambda: self.time)


@pytest.fixture
def world() -> World:
    return World()


async def test_all_who_ask_at_once_share_one_probe(world: World) -> None:
    """However many: each dependency is asked once, and who hangs up takes nobody's answer along."""
    world.database.answers.clear()
    asking = [asyncio.create_task(world.probes.readiness()) for _ in range(100)]
    await asyncio.sleep(0)
    asking.pop().cancel()
    await asyncio.sleep(0)
    world.database.answers.set()
    answers = await asyncio.gather(*asking)
    assert {answer.status for answer in answers} == {"ok"}
    assert (world.database.asked, world.redis.asked) == (1, 1)


async def test_an_answer_is_good_for_a_second(world: World) -> None:
    """Then the dependencies are asked anew, whether they were there or not."""
    statuses = []
    for is_away in (True, False):
        world.database.is_away = is_away
        statuses.append((await world.probes.readiness()).status)
        world.time += 0.9
        statuses.append((await world.probes.readiness()).status)
        world.time += 0.1
    assert statuses == ["unavailable", "unavailable", "ok", "ok"]
    assert world.database.asked == 2


async def test_without_redis_the_service_is_degraded(world: World) -> None:
    world.redis.is_away = True
    readiness = await world.probes.readiness()
    assert (readiness.status, {name: check.ok for name, check in readiness.checks.items()}) == (
        "degraded",
        {"database": True, "redis": False},
    )
