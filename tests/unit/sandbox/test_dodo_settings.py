"""What of the account at Dodo a test may change, and how it comes back."""

from typing import Any

import httpx
import pytest

from tests.unit.sandbox.dodo import CONTROL, controlled


async def test_the_settings_come_back_with_the_script(client: httpx.AsyncClient) -> None:
    before = (await client.get(f"{CONTROL}/settings")).json()
    await controlled(client, "PATCH", "settings", webhooks="never", tax_percent=7, rates={"EUR": 2})
    await client.delete(CONTROL)
    assert (await client.get(f"{CONTROL}/settings")).json() == before


@pytest.mark.parametrize(
    "changes",
    [{"speed": 1}, {"webhooks": "loud"}, {"tax_percent": 101}, {"webhook_secret": "whsec_AAAA"}, {"rates": 1}],
)
async def test_settings_that_mean_nothing_change_nothing(client: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    before = (await client.get(f"{CONTROL}/settings")).json()
    answer = await client.patch(f"{CONTROL}/settings", json={"refund_seconds": 9, **changes})
    assert answer.status_code == 400
    assert (await client.get(f"{CONTROL}/settings")).json() == before


@pytest.mark.parametrize(("service", "mode"), [("dodo", "before_reply"), ("replicate", "held")])
async def test_a_mode_that_a_service_does_not_know_is_refused(
    client: httpx.AsyncClient, service: str, mode: str
) -> None:
    rules = {"rules": [{"on": "webhook", "webhook": {"mode": mode}}]}
    assert (await client.post(f"/{service}/__control", json=rules)).status_code == 400
