"""What Prometheus sees while processes come and go: any API tells of all of them."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.rig import Rig


def told(url: str, name: str, **labels: str) -> dict[str, float]:
    """A metric as an API tells it, by the process that counted."""
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    return {
        sample.labels["process"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items() and "process" in sample.labels
    }


def of(pid: int, counted: dict[str, float]) -> float | None:
    """What one process has counted. A sum would also have, for a while, what one counted that has ended."""
    return next((value for process, value in counted.items() if process.endswith(f":{pid}")), None)


async def test_any_api_tells_what_all_processes_have_counted(rig: Rig, customer: Customer) -> None:
    """One API accepts, a worker renders, and an API that did nothing of it tells of both."""
    rig.provider.expect(creates=1)
    accepted = ("hairtryon_views_accepted_total", {"view": "front"})
    ended = ("hairtryon_views_ended_total", {"view": "front", "outcome": "completed"})
    with rig.another_api() as url:

        def counts() -> tuple[float, float]:
            api, worker = told(url, accepted[0], **accepted[1]), told(url, ended[0], **ended[1])
            return of(rig.api.pid, api) or 0, of(rig.worker.pid, worker) or 0

        def are_known() -> bool:
            began = told(url, "process_start_time_seconds")
            return None not in {of(rig.api.pid, began), of(rig.worker.pid, began)}

        await eventually(are_known)
        before = counts()
        async with customer.charged(1):
            assert (await customer.outcome(await customer.generate())).status == "COMPLETED"
        await eventually(lambda: counts() == (before[0] + 1, before[1] + 1))


@pytest.mark.exhaustive
async def test_a_worker_that_was_killed_is_not_told_of_any_more(rig: Rig) -> None:
    """Neither it nor what it counted, once what it last said of itself has expired."""
    rig.provider.expect(creates=0)
    name = f":{rig.worker.pid}"
    await eventually(lambda: any(process.endswith(name) for process in told(rig.url, "process_start_time_seconds")))
    rig.worker.kill()
    await eventually(lambda: not any(process.endswith(name) for process in told(rig.url, "process_start_time_seconds")))
