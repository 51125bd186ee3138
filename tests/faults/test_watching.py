"""Streams of progress, while the processes behind them end."""

import asyncio
import json
import signal
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.faults.customer import Customer
from tests.faults.provider import signal_at
from tests.faults.rig import Rig

_PATIENCE_SECONDS = 60


class Watcher:
    """Reads a try-on's stream as a browser does: after a loss it connects again, and says what it saw last."""

    def __init__(self, customer: Customer, image: int) -> None:
        self._customer = customer
        self._path = f"/image/{image}/events"
        self.seen: list[Any] = []
        self.is_told_everything = False

    @property
    def ids(self) -> list[int]:
        return [event["id"] for event in self.seen]

    @property
    def last(self) -> Any:
        """The data of the last event."""
        return self.seen[-1]["data"]

    async def read(self, events: int | None = None) -> None:
        """Until so many were seen, or the stream has ended; raises `httpx.HTTPError` when it broke off."""
        headers = {"Last-Event-ID": str(self.ids[-1])} if self.seen else {}
        async with (
            asyncio.timeout(_PATIENCE_SECONDS),
            self._customer.http.stream("GET", self._path, headers=headers) as stream,
        ):
            self.is_told_everything = stream.status_code == 204
            fields: dict[str, str] = {}
            async for line in stream.aiter_lines():
                name, _, value = line.partition(": ")
                fields[name] = value
                if not line and "data" in fields:
                    self.seen.append({"id": int(fields["id"]), "data": json.loads(fields["data"])})
                    fields = {}
                    if len(self.seen) == events:
                        return


async def test_streams_end_when_the_api_is_told_to(rig: Rig, customer: Customer) -> None:
    """Cleanly, at once, and nobody is waited for; where the API is back, the rest is told."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "delay": 5})
    image = await customer.generate()
    watcher = Watcher(customer, image)
    await watcher.read(4)
    headers = {"Authorization": f"Bearer {rig.token}"}
    address = f"{rig.url.replace('http', 'ws', 1)}/api/v1/image/ws"
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        reading = asyncio.create_task(watcher.read())
        await asyncio.sleep(0.5)  # for the stream to be open; one that is not is no loss to this test
        rig.api.send(signal.SIGTERM)
        await reading
        assert await closing_code(socket) == 1001
    assert rig.api.wait_for_end() in {0, -signal.SIGTERM}
    assert "graceful shutdown exceeded" not in rig.api.output()
    rig.mend()
    await watcher.read()
    assert watcher.ids == [1, 2, 3, 4, 5, 6]
    assert watcher.last["status"] == "COMPLETED"


async def test_a_stream_tells_the_end_though_the_worker_was_killed(rig: Rig, customer: Customer) -> None:
    """What the next worker does is told like what the first one did."""
    rig.provider.expect(creates=2)
    await rig.provider.script(signal_at("output", rig.worker.pid))
    image = await customer.generate("front", "right")
    watcher = Watcher(customer, image)
    reading = asyncio.create_task(watcher.read())
    await asyncio.to_thread(rig.restart_worker)
    await reading
    assert watcher.ids == list(range(1, 10))
    assert (watcher.last["view"], watcher.last["status"]) == (None, "COMPLETED")
    await watcher.read()
    assert watcher.is_told_everything


@pytest.mark.exhaustive
async def test_a_stream_whose_api_is_killed_goes_on_where_it_broke_off(rig: Rig, customer: Customer) -> None:
    """Connecting again with the last id brings the rest: nothing twice, nothing left out."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "delay": 2})
    image = await customer.generate()
    watcher = Watcher(customer, image)
    await watcher.read(4)
    reading = asyncio.create_task(watcher.read())
    await asyncio.sleep(0.5)  # as above
    rig.api.kill()
    with pytest.raises(httpx.HTTPError):
        await reading
    rig.mend()
    await watcher.read()
    assert watcher.ids == [1, 2, 3, 4, 5, 6]


@pytest.mark.exhaustive
async def test_a_stream_goes_on_while_redis_is_emptied_and_restarted(rig: Rig, customer: Customer) -> None:
    """The log is in the database; Redis only says when to look."""
    rig.provider.expect(creates=4)
    await rig.provider.script({"on": "output", "delay": 0.5, "times": 4})
    image = await customer.generate("front", "right", "left", "back")
    watcher = Watcher(customer, image)
    reading = asyncio.create_task(watcher.read())
    await asyncio.to_thread(rig.valkey.stop)
    await asyncio.sleep(1)
    await asyncio.to_thread(rig.valkey.start)
    if not rig.worker.running:
        rig.mend()
    await reading
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
