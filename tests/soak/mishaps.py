"""What befalls the stack: processes that are killed, frozen or told to stop, servers that go away, a bad provider."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from tests.faults.programs import Program
from tests.faults.rig import LEASE_SECONDS, Rig
from tests.soak import purchases

FILTERED = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"

LONGEST_PEACE_SECONDS = 4.0

BAD_TURNS: Sequence[dict[str, Any]] = (
    {"on": "create", "reply": {"status": 500}},
    {"on": "create", "reply": {"status": 503}, "times": 10},
    {"on": "create", "reply": {"status": 429, "headers": {"Retry-After": "1"}}},
    {"on": "create", "reset": True},
    {"on": "create", "reset": True, "processed": True},
    {"on": "create", "hang": 2},
    {"on": "create", "delay": 2 * LEASE_SECONDS},
    {"on": "create", "truncate": 20},
    {"on": "create", "outcome": {"status": "failed"}},
    {"on": "create", "outcome": {"status": "failed", "error": FILTERED}},
    {"on": "create", "outcome": {"status": "processing"}},
    {"on": "create", "outcome": {"status": "succeeded", "output": []}},
    {"on": "get", "reply": {"status": 500}, "times": 5},
    {"on": "get", "reply": {"status": 404}},
    {"on": "cancel", "reply": {"status": 503}},
    {"on": "output", "reply": {"status": 503}},
    {"on": "output", "reset": True},
    {"on": "output", "truncate": 2000},
    {"on": "output", "delay": 2 * LEASE_SECONDS},
    {"on": "output", "delivery": {"kind": "html"}},
    {"on": "webhook", "webhook": {"mode": "never"}, "times": 5},
    {"on": "webhook", "webhook": {"mode": "twice"}, "times": 5},
    {"on": "webhook", "webhook": {"mode": "before_reply"}, "times": 3},
    {"on": "webhook", "webhook": {"mode": "forged"}},
)


class Mishaps:
    """One at a time, at random. Whoever was ended is started again, as a supervisor would."""

    def __init__(self, rig: Rig, programs: Sequence[Program]) -> None:
        self._rig = rig
        self._programs = programs
        self.counted: Counter[str] = Counter()

    async def befall(self, end: asyncio.Event) -> None:
        """Go on until the end, and leave everything running."""
        while not end.is_set():
            for _ in range(3):
                await self._bad_turn()
            mishap = random.choice(
                (self._kill, self._kill, self._stop, self._freeze, self._flush_redis, self._server_dies)
            )
            await mishap()
            await asyncio.sleep(random.uniform(0, LONGEST_PEACE_SECONDS))

    async def mend(self) -> None:
        await self._rig.provider.unscript()
        await self._rig.dodo.unscript()
        await self._rig.dodo.release()
        for program in self._programs:
            program.thaw()

    def _somebody(self, how: str) -> Program:
        program = random.choice(self._programs)
        self.counted[f"{program.name.partition('-')[0].rstrip('0123456789')} {how}"] += 1
        return program

    async def _kill(self) -> None:
        program = self._somebody("killed")
        program.kill()
        await self._revive(program)

    async def _stop(self) -> None:
        program = self._somebody("told to stop")
        program.ask_to_stop()
        await asyncio.to_thread(program.wait_for_end)
        await self._revive(program)

    async def _freeze(self) -> None:
        program = self._somebody("frozen past a lease")
        program.freeze()
        await asyncio.sleep(LEASE_SECONDS * random.uniform(1, 2))
        program.thaw()

    async def _revive(self, program: Program) -> None:
        await asyncio.sleep(random.uniform(0, 1))
        await asyncio.to_thread(program.start)

    async def _flush_redis(self) -> None:
        self.counted["redis flushed"] += 1
        async with Redis.from_url(self._rig.valkey.url) as redis:
            await redis.flushall()

    async def _server_dies(self) -> None:
        server, name = random.choice(((self._rig.valkey, "redis"), (self._rig.postgres, "postgresql")))
        self.counted[f"{name} killed"] += 1
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(random.uniform(0, 2))
        await asyncio.to_thread(server.start)

    async def _bad_turn(self) -> None:
        rule = random.choice(BAD_TURNS)
        self.counted["bad turns of the image provider"] += int(rule.get("times", 1))
        await self._rig.provider.script(rule)
        rule = random.choice(purchases.BAD_TURNS)
        self.counted["bad turns of the payment provider"] += int(rule.get("times", 1))
        await self._rig.dodo.script(rule)
