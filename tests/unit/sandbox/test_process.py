"""What needs a real socket: cuts, silence, signals, start and stop."""

import asyncio
import signal
import subprocess
import sys
from http import HTTPStatus

import httpx
import pytest

from tests.unit.sandbox.talking import CREATE, ROOT, address_of, script, start, stop

BODY = {"input": {"prompt": "A"}}


@pytest.fixture
async def real(process: str) -> httpx.AsyncClient:
    client = httpx.AsyncClient(base_url=process)
    await client.delete("/replicate/__control")
    await client.put("/replicate/__control/model", json={"latency_seconds": 0, "picture": "fixed"})
    return client


async def created(real: httpx.AsyncClient) -> int:
    return len((await real.get("/replicate/v1/predictions")).json()["results"])


async def faults(real: httpx.AsyncClient) -> list[str]:
    return [call["fault"] for call in (await real.get("/replicate/__control")).json()["calls"] if call["fault"]]


async def test_a_reset_before_the_work_leaves_nothing_behind(real: httpx.AsyncClient) -> None:
    before = await created(real)
    await script(real, {"on": "create", "reset": True})
    with pytest.raises(httpx.ReadError):
        await real.post(CREATE, json=BODY)
    assert await created(real) == before
    assert await faults(real) == ["reset"]


async def test_a_reset_after_the_work_leaves_a_prediction(real: httpx.AsyncClient) -> None:
    before = await created(real)
    await script(real, {"on": "create", "reset": True, "processed": True})
    with pytest.raises(httpx.ReadError):
        await real.post(CREATE, json=BODY)
    assert await created(real) == before + 1


async def test_silence_ends_with_a_closed_connection(real: httpx.AsyncClient) -> None:
    await script(real, {"on": "create", "hang": 0.05})
    with pytest.raises(httpx.RemoteProtocolError):
        await real.post(CREATE, json=BODY)
    assert await faults(real) == ["silence"]


async def test_silence_outlasts_a_caller_who_gives_up(real: httpx.AsyncClient) -> None:
    await script(real, {"on": "create", "hang": 600})
    with pytest.raises(httpx.ReadTimeout):
        await real.post(CREATE, json=BODY, timeout=0.2)


async def test_an_answer_is_cut_after_so_many_bytes(real: httpx.AsyncClient) -> None:
    answer = await real.post(CREATE, json=BODY, headers={"Prefer": "wait"})
    await script(real, {"on": "output", "truncate": 1000})
    received: list[bytes] = []
    async with real.stream("GET", answer.json()["output"][0]) as response:
        assert int(response.headers["content-length"]) > 1000
        with pytest.raises(httpx.RemoteProtocolError):
            received += [chunk async for chunk in response.aiter_raw()]
    assert received == []


@pytest.mark.parametrize("point", ["received", "processed", "replied"])
async def test_a_signal_reaches_a_process_at_the_scripted_point(real: httpx.AsyncClient, point: str) -> None:
    victim = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(600)")
    await script(real, {"on": "create", "signals": [{"pid": victim.pid, "signal": "SIGKILL", "at": point}]})
    assert (await real.post(CREATE, json=BODY)).status_code == HTTPStatus.CREATED
    assert await victim.wait() == -signal.SIGKILL


async def test_a_signal_to_nobody_disturbs_nothing(real: httpx.AsyncClient) -> None:
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    await script(real, {"on": "create", "signals": [{"pid": gone.pid}]})
    assert (await real.post(CREATE, json=BODY)).status_code == HTTPStatus.CREATED


def test_sigterm_stops_it_well_even_while_somebody_waits() -> None:
    started = start()
    address = address_of(started)
    httpx.put(f"{address}/replicate/__control", json={"rules": [{"on": "create", "hang": 600}]})
    with httpx.Client() as client, pytest.raises(httpx.ReadTimeout):
        client.post(address + CREATE, json=BODY, timeout=0.1)
    assert stop(started) == 0


def test_a_setting_that_makes_no_sense_stops_the_start() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox"],
        cwd=ROOT,
        env={"SANDBOX_LATENCY_SECONDS": "soon", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "SANDBOX_LATENCY_SECONDS" in ended.stderr
