"""Webhooks: https://replicate.com/docs/topics/webhooks and https://www.standardwebhooks.com."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from sandbox.config import SandboxConfig, make_webhook_secret
from sandbox.webhooks import signed_headers
from tests.unit.sandbox.talking import CREATE, Receiver, rendered, running, script


async def secret_of(client: httpx.AsyncClient) -> Webhook:
    return Webhook((await client.get("/replicate/v1/webhooks/default/secret")).json()["key"])


async def answered(client: httpx.AsyncClient, count: int) -> list[dict[str, Any]]:
    """The webhooks of the log, once so many of them are over."""
    while True:
        calls = (await client.get("/replicate/__control", params={"operation": "webhook"})).json()["calls"]
        if len([call for call in calls if call["seconds"] is not None]) == count:
            return list(calls)
        await asyncio.sleep(0.01)


def test_the_signature_is_the_one_of_the_specifications_example() -> None:
    """The example's public key is given as bytes, for it is not a secret and should not look like one."""
    key = bytes.fromhex("31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0")
    headers = signed_headers(
        "whsec_" + base64.b64encode(key).decode(),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


async def test_the_end_of_a_prediction_is_told_signed_and_as_the_prediction_itself(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    done = await rendered(client, webhook=receiver.url, webhook_events_filter=["completed"])
    ((headers, body),) = await receiver.has(1)
    (await secret_of(client)).verify(body, headers)
    assert json.loads(body) == done


async def test_only_the_events_asked_for_are_sent(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await rendered(client, webhook=receiver.url, webhook_events_filter=["start", "output", "logs", "completed"])
    await receiver.has(4)
    assert sorted(receiver.statuses()) == ["processing", "processing", "processing", "succeeded"]


async def test_by_default_outputs_and_the_end_are_sent(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await rendered(client, webhook=receiver.url)
    await receiver.has(2)
    assert sorted(receiver.statuses()) == ["processing", "succeeded"]


async def test_the_end_is_sent_again_until_it_is_taken_under_one_id(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.answers = [500, 400]
    await rendered(client, webhook=receiver.url, webhook_events_filter=["completed"])
    deliveries = await receiver.has(3)
    assert len({headers["webhook-id"] for headers, _ in deliveries}) == 1
    assert [call["status"] for call in await answered(client, 3)] == [500, 400, 204]


async def test_other_events_are_sent_once(client: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.answers = [500]
    await rendered(client, webhook=receiver.url, webhook_events_filter=["start"])
    await receiver.has(1)
    await asyncio.sleep(0.1)
    assert len(receiver.received) == 1


async def test_a_receiver_that_is_away_is_in_the_log(client: httpx.AsyncClient) -> None:
    await rendered(client, webhook="http://127.0.0.1:1/", webhook_events_filter=["completed"])
    calls = await answered(client, 3)
    assert {call["status"] for call in calls} == {None}
    assert all("ConnectError" in call["fault"] for call in calls)


async def test_a_script_can_keep_a_webhook_back(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await script(client, {"on": "webhook", "webhook": {"mode": "never"}})
    silent = await rendered(client, webhook=receiver.url)
    told = await rendered(client, webhook=receiver.url, webhook_events_filter=["completed"])
    ((_, body),) = await receiver.has(1)
    assert json.loads(body)["id"] == told["id"] != silent["id"]


async def test_a_script_can_send_a_webhook_twice(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await script(client, {"on": "webhook", "webhook": {"mode": "twice"}})
    await rendered(client, webhook=receiver.url, webhook_events_filter=["completed"])
    first, second = await receiver.has(2)
    assert first[1] == second[1]
    assert first[0]["webhook-id"] == second[0]["webhook-id"]


async def test_a_script_can_forge_a_signature(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await script(client, {"on": "webhook", "webhook": {"mode": "forged"}})
    await rendered(client, webhook=receiver.url, webhook_events_filter=["completed"])
    headers, body = (await receiver.has(1))[0]
    verifier = await secret_of(client)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(body, headers)


async def test_a_script_can_send_the_webhook_before_the_create_is_answered(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    await script(client, {"on": "webhook", "webhook": {"mode": "before_reply"}})
    body = {"input": {"prompt": "A"}, "webhook": receiver.url, "webhook_events_filter": ["completed"]}
    answer = await client.post(CREATE, json=body)
    assert answer.json()["status"] == "starting"
    assert receiver.statuses() == ["succeeded"]


async def test_a_script_can_delay_a_webhook(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await script(client, {"on": "webhook", "webhook": {"delay": 600}})
    await rendered(client, webhook=receiver.url)
    await asyncio.sleep(0.05)
    assert receiver.received == []


async def test_the_secret_is_the_configured_one() -> None:
    secret = make_webhook_secret()
    async with running(replicate_webhook_secret=secret) as client:
        assert (await client.get("/replicate/v1/webhooks/default/secret")).json() == {"key": secret}


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_not base64", "whsec_AAAA", base64.b64encode(bytes(32)).decode()]
)
def test_a_secret_that_would_make_a_weak_key_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        SandboxConfig(replicate_webhook_secret=secret)
