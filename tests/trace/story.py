"""Somebody has a portrait rendered from two sides, and everything that can be seen of it from outside."""

import asyncio
import time
from collections.abc import Mapping

from msgspec import Struct

from application.events import RegistrationMade
from tests.collector import Collector
from tests.faults.customer import Customer
from tests.faults.rig import Rig, portrait
from tests.trace.metrics import Moved, Series, changes, scrape, unmoved
from tests.trace.spans import Line, broken, tree

RENDERING_SECONDS = 0.5
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.3


class Report(Struct, frozen=True):
    image_id: int
    changes: list[Moved]
    trace: list[Line]
    faults: list[str]
    """What should be there and is not, in words; empty when all is well."""


def settings(collector: Collector) -> Mapping[str, str]:
    """Traces come here, soon; results are told by webhooks, not found by looking."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",  # milliseconds
        "POLL_SECONDS": "60",
    }


async def play(rig: Rig, collector: Collector) -> Report:
    await rig.provider.reset()
    await rig.provider.take_time(RENDERING_SECONDS)
    async with await _customer(rig) as customer:
        await customer.pick(portrait())
        before = await _settled(rig)
        image_id = await customer.generate("front", "right")
        image = await customer.outcome(image_id)
    failed = [f"{view.view} is {view.status} ({view.error})" for view in image.views if view.status != "COMPLETED"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        # Each process tells what it has counted every five seconds; spans are sent sooner.
        after = scrape(rig.url)
        faults = failed + unmoved(before, after) + broken(collector.spans, image_id)
        if not faults or failed or time.monotonic() > deadline:
            return Report(image_id, changes(before, after), tree(collector, image_id), faults)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _customer(rig: Rig) -> Customer:
    """Somebody who has just signed up, with the free credits."""
    async with Customer(rig.url, rig.sandbox_url) as visitor:
        assert (await visitor.register(rig.email, rig.password)).status_code == 202
        tokens = await visitor.verify(await visitor.mailed_token(rig.email))
    return Customer(rig.url, rig.sandbox_url, tokens["access_token"])


async def _settled(rig: Rig) -> dict[Series, float]:
    """The counts when the worker has told of all that it did before: of the mail, which was the last."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    mailed = Series("hairtryon_jobs_total", "worker", (("job", RegistrationMade.job), ("outcome", "done")))
    while not (counts := scrape(rig.url)).get(mailed):
        assert time.monotonic() < deadline, "the worker does not tell what it counts"
        await asyncio.sleep(_PAUSE_SECONDS)
    return counts
