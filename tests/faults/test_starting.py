"""A start without what there should be, and a log that cannot be written: the product goes on, and says so."""

import asyncio
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from bootstrap.embedded import free_port
from bootstrap.reaper import Reaper
from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.programs import Program, answers
from tests.faults.rig import Rig

FULL = "/dev/full"
"""A device that has never any space left (full(4))."""


class Beside:
    """Programs beside those of the rig, on its servers, whose output is a test's own."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self._rig = rig
        self._folder = folder
        self._reaper = Reaper()
        self._started: list[Program] = []

    def start(self, *words: str, **settings: str) -> Program:
        command = [sys.executable, "-m", "bootstrap.cli", *words]
        log = self._folder / f"{words[0]}.stderr"
        program = Program(words[0], command, environ=self._rig.environ | settings, log=log, reaper=self._reaper)
        self._started.append(program)
        program.start()
        return program

    def serve(self, **settings: str) -> tuple[Program, str]:
        port = free_port()
        api, url = self.start("serve", "--port", str(port), **settings), f"http://127.0.0.1:{port}"
        api.wait_until(partial(answers, f"{url}/health/live"))
        return api, url

    def close(self) -> None:
        for program in self._started:
            program.stop()
        self._reaper.close()


@pytest.fixture
def beside(rig: Rig, tmp_path: Path) -> Iterator[Beside]:
    beside = Beside(rig, tmp_path)
    yield beside
    beside.close()


def told(program: Program) -> list[str]:
    return [json.loads(line)["event"] for line in program.output().splitlines()]


async def test_a_log_disk_that_is_full_from_the_start_stops_nobody(
    rig: Rig, customer: Customer, beside: Beside
) -> None:
    """API and worker say once on stderr that they cannot log, and do their work."""
    rig.provider.expect(creates=1)
    rig.worker.kill()
    worker = beside.start("worker", LOG_FILE=FULL)
    api, url = beside.serve(LOG_FILE=FULL)
    customer.http.base_url = httpx.URL(f"{url}/api/v1")
    async with customer.charged(1):
        assert (await customer.outcome(await customer.generate())).status == "COMPLETED"
    for program in (api, worker):
        assert told(program) == ["log_unwritable"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are set on Linux only")
async def test_a_log_disk_that_fills_up_stops_nobody_and_may_be_emptied(
    rig: Rig, customer: Customer, beside: Beside, tmp_path: Path
) -> None:
    """Requests are answered as before, stderr says once that lines are lost, and later lines are whole again.

    The disk is played by a limit on the size of files that the process may write.
    """
    rig.provider.expect(creates=0)
    log = tmp_path / "api.log"
    api, url = beside.serve(LOG_FILE=str(log))
    process = psutil.Process(api.pid)
    unlimited = process.rlimit(psutil.RLIMIT_FSIZE)
    customer.http.base_url = httpx.URL(f"{url}/api/v1")

    async def all_well() -> bool:
        asked = [customer.http.get("/user/me") for _ in range(20)]
        return {answer.status_code for answer in await asyncio.gather(*asked)} == {200}

    assert await all_well()
    full = log.stat().st_size + 10
    process.rlimit(psutil.RLIMIT_FSIZE, (full, unlimited[1]))
    assert await all_well()
    assert log.stat().st_size == full
    assert told(api) == ["log_unwritable"]
    process.rlimit(psutil.RLIMIT_FSIZE, unlimited)
    assert await all_well()
    lines = log.read_bytes()[full:].splitlines()
    assert [json.loads(line)["event"] for line in lines if line] == ["request"] * 20


@pytest.mark.exhaustive
async def test_a_start_without_servers_is_made_good_when_they_come(
    rig: Rig, customer: Customer, beside: Beside
) -> None:
    """Database and Redis are away when API and worker start: alive, not ready; then they work, started but once."""
    rig.provider.expect(creates=1)
    balance = await customer.balance()
    rig.worker.kill()
    rig.postgres.stop()
    rig.valkey.stop()
    worker = beside.start("worker")
    api, url = beside.serve()
    async with httpx.AsyncClient(trust_env=False) as probe:
        assert (await probe.get(f"{url}/health/ready")).json()["status"] == "unavailable"
    await eventually(lambda: told(worker).count("database_away") >= 2)
    assert told(api)[0] == "database_away"
    rig.postgres.start()
    rig.valkey.start()
    customer.http.base_url = httpx.URL(f"{url}/api/v1")
    await eventually(lambda: answers(f"{url}/health/ready"))
    assert (await customer.outcome(await customer.generate())).status == "COMPLETED"
    assert (await customer.balance()).credits == balance.credits - 1
    assert api.running
    assert worker.running
