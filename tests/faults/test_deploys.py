"""A deploy: everything is replaced, one after the other, while customers go on."""

import asyncio
import itertools
from collections import Counter
from functools import partial

import httpx
import pytest

from tests.faults.customer import Customer
from tests.faults.programs import Program, answers
from tests.faults.rig import Rig


@pytest.mark.exhaustive
async def test_a_rolling_deploy_drops_nothing(rig: Rig, customer: Customer) -> None:
    """Two APIs and two workers are told to stop and replaced in turn: no request is cut off, each view created once."""
    second_api, second_url = rig.make_api()
    second_worker = await asyncio.to_thread(rig.add_worker)
    second_api.start()
    second_api.wait_until(partial(answers, f"{second_url}/health/live"))
    await rig.provider.script({"on": "create", "times": None, "delay": 0.3})
    load = Load(customer, [rig.url, second_url])
    try:
        before = await customer.balance()
        asking = asyncio.create_task(load.keep_asking())
        for api, url in ((rig.api, rig.url), (second_api, second_url)):
            await asyncio.to_thread(replace, api)
            await asyncio.to_thread(api.wait_until, partial(answers, f"{url}/health/live"))
        for worker in (rig.worker, second_worker):
            await asyncio.to_thread(replace, worker)
            await asyncio.to_thread(worker.wait_for_line, "worker_ready")
        load.enough = True
        await asking
        assert load.heard.keys() == {202}
        assert load.cut == 0
        rig.provider.expect(creates=len(load.images))
        assert {(await customer.outcome(image)).status for image in load.images} == {"COMPLETED"}
        assert (await customer.balance()).credits == before.credits - len(load.images)
    finally:
        second_api.stop()


def replace(program: Program) -> None:
    program.ask_to_stop()
    program.wait_for_end()
    program.start()


class Load:
    """Requests for try-ons as a reverse proxy passes them on: to the other API when one takes no connections."""

    def __init__(self, customer: Customer, urls: list[str]) -> None:
        self._customer = customer
        self._urls = itertools.cycle(urls)
        self.enough = False
        self.heard: Counter[int] = Counter()
        self.cut = 0
        self.images: list[int] = []

    async def keep_asking(self) -> None:
        headers = {"Authorization": self._customer.http.headers["Authorization"]}
        body = {"style_id": self._customer.style_id, "image_input_url": self._customer.photo}
        while not self.enough:
            url = next(self._urls)
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
                try:
                    answer = await client.post("/api/v1/image/generate", json=body)
                except httpx.ConnectError:
                    continue
                except httpx.TransportError:
                    self.cut += 1
                    continue
            self.heard[answer.status_code] += 1
            if answer.status_code == httpx.codes.ACCEPTED:
                self.images.append(answer.json()["image_id"])
            await asyncio.sleep(0.1)
