"""Streams of progress, while the processes behind them end."""

import asyncio
import signal

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.provider import signal_at
from tests.faults.rig import Rig
from tests.faults.watcher import Watcher

BEFORE_CREATED = 4
"""Events of a try-on of one view until the provider has answered. Who has been told so many has a stream open."""
_PATIENCE_SECONDS = 60


async def watch(customer: Customer, watcher: Watcher) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await watcher.read(customer.http)


async def test_streams_end_when_the_api_is_told_to(rig: Rig, customer: Customer) -> None:
    """Cleanly, at once, and nobody is waited for; where the API is back, the rest is told."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "delay": 5})
    image = await customer.generate()
    watcher = Watcher(image)
    headers = {"Authorization": f"Bearer {rig.token}"}
    address = f"{rig.url.replace('http', 'ws', 1)}/api/v1/image/ws"
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        watching = asyncio.create_task(watch(customer, watcher))
        await eventually(lambda: len(watcher.seen) == BEFORE_CREATED)
        rig.api.send(signal.SIGTERM)
        await watching
        assert await closing_code(socket) == 1001
    assert rig.api.wait_for_end() in {0, -signal.SIGTERM}
    assert "graceful shutdown exceeded" not in rig.api.output()
    rig.mend()
    await watch(customer, watcher)
    assert watcher.ids == [1, 2, 3, 4, 5, 6]
    assert watcher.last["status"] == "COMPLETED"


async def test_a_stream_tells_the_end_though_the_worker_was_killed(rig: Rig, customer: Customer) -> None:
    """What the next worker does is told like what the first one did."""
    rig.provider.expect(creates=2)
    await rig.provider.script(signal_at("output", rig.worker.pid))
    image = await customer.generate("front", "right")
    watcher = Watcher(image)
    watching = asyncio.create_task(watch(customer, watcher))
    await asyncio.to_thread(rig.restart_worker)
    await watching
    assert watcher.ids == list(range(1, 10))
    assert (watcher.last["view"], watcher.last["status"]) == (None, "COMPLETED")
    await watch(customer, watcher)
    assert watcher.status == 204


@pytest.mark.exhaustive
async def test_a_stream_whose_api_is_killed_goes_on_where_it_broke_off(rig: Rig, customer: Customer) -> None:
    """Connecting again with the last id brings the rest: nothing twice, nothing left out."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "delay": 2})
    image = await customer.generate()
    watcher = Watcher(image)
    watching = asyncio.create_task(watch(customer, watcher))
    await eventually(lambda: len(watcher.seen) == BEFORE_CREATED)
    rig.api.kill()
    with pytest.raises(httpx.HTTPError):
        await watching
    rig.mend()
    await watch(customer, watcher)
    assert watcher.ids == [1, 2, 3, 4, 5, 6]


@pytest.mark.exhaustive
async def test_a_stream_goes_on_while_redis_is_emptied_and_restarted(rig: Rig, customer: Customer) -> None:
    """The log is in the database; Redis only says when to look."""
    rig.provider.expect(creates=4)
    await rig.provider.script({"on": "output", "delay": 0.5, "times": 4})
    image = await customer.generate("front", "right", "left", "back")
    watcher = Watcher(image)
    watching = asyncio.create_task(watch(customer, watcher))
    await asyncio.to_thread(rig.valkey.stop)
    await asyncio.sleep(1)
    await asyncio.to_thread(rig.valkey.start)
    if not rig.worker.running:
        rig.mend()
    await watching
    assert watcher.ids == list(range(1, len(watcher.ids) + 1))
    assert (watcher.last["view"], watcher.last["status"]) == (None, "COMPLETED")


async def closing_code(socket: ClientConnection) -> int:
    """With which the other side closes it, whatever it says before."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0
