"""A worker that is told to stop, and what a stopped stack leaves behind."""

import os
import signal

import psutil  # type: ignore[import-untyped]
import pytest

from tests.faults.customer import Customer
from tests.faults.programs import Program
from tests.faults.provider import NO_WEBHOOKS, signal_at
from tests.faults.rig import LEASE_SECONDS, Rig


@pytest.mark.exhaustive
async def test_a_worker_told_to_stop_finishes_what_it_has_begun(rig: Rig, customer: Customer) -> None:
    """SIGTERM comes while the provider takes its time with a create: its answer is stored before the worker ends."""
    rig.provider.expect(creates=1)
    await rig.provider.script(NO_WEBHOOKS, signal_at("create", rig.worker.pid, "SIGTERM", delay=LEASE_SECONDS))
    async with customer.charged(1):
        image = await customer.generate()
        assert rig.worker.wait_for_end() == 0
        rig.restart_worker()
        assert (await customer.outcome(image)).status == "COMPLETED"


@pytest.mark.exhaustive
async def test_a_try_on_survives_six_restarts_of_the_worker(rig: Rig, customer: Customer) -> None:
    """However often a deploy comes in between: each view is created once and charged once."""
    views = ("front", "right", "left", "back")
    rig.provider.expect(creates=len(views))
    for operation in ("create", "create", "output", "create", "output", "output"):
        await rig.provider.script({"on": operation, "delay": 0.5})
    async with customer.charged(len(views)):
        image = await customer.generate(*views)
        for _ in range(6):
            rig.worker.ask_to_stop()
            assert rig.worker.wait_for_end() == 0
            rig.restart_worker()
        assert {view.status for view in (await customer.outcome(image)).views} == {"COMPLETED"}


@pytest.mark.exhaustive
async def test_nothing_is_left_running(rig: Rig, customer: Customer) -> None:
    """API and worker end when they are told to, in the middle of a job, and no process of theirs remains."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "delay": 1})
    image = await customer.generate()
    for program in (rig.api, rig.worker):
        program.send(signal.SIGTERM)
    for program in (rig.api, rig.worker):
        assert program.wait_for_end() in {0, -signal.SIGTERM}
        assert not processes_of(program)
    rig.mend()
    assert (await customer.outcome(image)).status == "COMPLETED"


def processes_of(program: Program) -> list[int]:
    """Whatever runs in the session that a program was started in."""
    return [pid for pid in psutil.pids() if _session(pid) == program.pid]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
