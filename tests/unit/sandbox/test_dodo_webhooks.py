"""Events: https://docs.dodopayments.com/developer-resources/webhooks and https://www.standardwebhooks.com."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from sandbox.config import make_webhook_secret
from sandbox.dodo.deliveries import SCHEDULE
from tests.unit.sandbox.dodo import CONTROL, aimed_at, controlled, deliveries, paid, read
from tests.unit.sandbox.talking import Receiver, running, script

SECRET = make_webhook_secret()


@pytest.fixture
async def client(receiver: Receiver) -> AsyncIterator[httpx.AsyncClient]:
    """All retries of Dodo's 27 hours within a second."""
    async with running(
        dodo_webhook_url=receiver.url, dodo_webhook_secret=SECRET, dodo_webhook_speedup=100_000, dodo_refund_seconds=0
    ) as client:
        yield client


def bodies(received: list[tuple[dict[str, str], bytes]]) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in received]


def ids(received: list[tuple[dict[str, str], bytes]]) -> list[str]:
    return [headers["webhook-id"] for headers, _ in received]


async def test_a_payment_is_told_signed_in_dodos_envelope(client: httpx.AsyncClient, receiver: Receiver) -> None:
    payment = await paid(client)
    ((headers, body),) = await receiver.has(1)
    Webhook(SECRET).verify(body, headers)
    event = json.loads(body)
    assert (event["type"], event["business_id"]) == ("payment.succeeded", payment["business_id"])
    assert event["timestamp"].endswith("Z")
    assert event["data"] == {"payload_type": "Payment", **payment}
    assert headers["webhook-id"].startswith("evt_")


@pytest.mark.parametrize("status", ["succeeded", "failed", "processing", "cancelled"])
async def test_every_end_of_a_payment_has_its_event(client: httpx.AsyncClient, receiver: Receiver, status: str) -> None:
    await paid(client, status=status)
    (event,) = bodies(await receiver.has(1))
    assert (event["type"], event["data"]["status"]) == (f"payment.{status}", status)


async def test_other_statuses_are_told_nobody(client: httpx.AsyncClient) -> None:
    await paid(client, status="requires_customer_action")
    assert await deliveries(client) == []


async def test_a_refund_is_told_when_it_is_over(client: httpx.AsyncClient, receiver: Receiver) -> None:
    payment = await paid(client)
    made = await client.post("/dodo/refunds", json={"payment_id": payment["payment_id"]})
    event = bodies(await receiver.has(2))[1]
    assert event["type"] == "refund.succeeded"
    shown = await read(client, f"refunds/{made.json()['refund_id']}")
    assert event["data"] == {"payload_type": "Refund", **shown}


async def test_a_refund_that_failed_is_told_too(client: httpx.AsyncClient, receiver: Receiver) -> None:
    payment = await paid(client)
    await controlled(client, "POST", f"payments/{payment['payment_id']}/refunds", status="failed")
    assert sorted(event["type"] for event in bodies(await receiver.has(2))) == ["payment.succeeded", "refund.failed"]


async def test_disputes_are_told_with_their_amount_as_text_and_without_a_customer(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    payment = await paid(client)
    await receiver.has(1)
    dispute = await controlled(client, "POST", f"payments/{payment['payment_id']}/disputes")
    for count, status in enumerate(("challenged", "won", "lost", "accepted", "cancelled", "expired"), 2):
        await receiver.has(count)
        await controlled(client, "PUT", f"disputes/{dispute['dispute_id']}", status=status)
    events = bodies(await receiver.has(8))[1:]
    assert [event["type"] for event in events] == [
        f"dispute.{word}" for word in ("opened", "challenged", "won", "lost", "accepted", "cancelled", "expired")
    ]
    first = events[0]["data"]
    assert (first["payload_type"], first["amount"], first["dispute_status"]) == ("Dispute", "500", "dispute_opened")
    assert "customer" not in first


async def test_an_event_is_tried_again_by_the_schedule_under_one_id(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.answers = [500, 301, 404]
    await paid(client)
    received = await receiver.has(4)
    (delivery,) = await deliveries(client, "delivered")
    assert set(ids(received)) == {delivery["id"]}
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 301, 404, 204]


async def test_after_eight_attempts_an_event_is_given_up(client: httpx.AsyncClient, receiver: Receiver) -> None:
    receiver.answers = [500] * len(SCHEDULE)
    await paid(client)
    (delivery,) = await deliveries(client, "failed")
    assert len(delivery["attempts"]) == len(receiver.received) == 8
    assert sum(SCHEDULE[:4]) == 35 * 60 + 5


async def test_an_attempt_tells_how_things_stand_by_then(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await script(client, {"on": "webhook", "webhook": {"mode": "held"}}, service="dodo")
    payment = await paid(client, status="processing")
    await controlled(client, "PUT", f"payments/{payment['payment_id']}", status="succeeded")
    await receiver.has(1)
    await controlled(client, "POST", "webhooks/release")
    late = bodies(await receiver.has(2))[1]
    assert (late["type"], late["data"]["status"]) == ("payment.processing", "succeeded")


async def test_who_answers_too_late_has_not_taken_it(receiver: Receiver) -> None:
    asked: list[asyncio.StreamWriter] = []

    async def slow_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        if len(asked) > 1:
            await receiver.serve(reader, writer)

    server = await asyncio.start_server(slow_at_first, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, running(dodo_webhook_url=url, dodo_webhook_timeout_seconds=0.3) as client:
        await paid(client)
        (delivery,) = await deliveries(client, "delivered")
        asked[0].close()
    first, *_, last = delivery["attempts"]
    assert (first["status"], last["status"]) == (None, 204)
    assert "TimeoutError" in first["fault"]


async def test_several_secrets_sign_while_one_replaces_another(client: httpx.AsyncClient, receiver: Receiver) -> None:
    new = make_webhook_secret()
    await controlled(client, "PATCH", "settings", webhook_secret=f"{new} {SECRET}")
    await paid(client)
    ((headers, body),) = await receiver.has(1)
    for secret in (SECRET, new):
        Webhook(secret).verify(body, headers)
    assert (await read(client, "webhooks/ep_1/secret")) == {"secret": new}


@pytest.mark.parametrize("mode", ["forged", "unsigned"])
async def test_the_proof_can_be_wrong_or_missing(client: httpx.AsyncClient, receiver: Receiver, mode: str) -> None:
    await script(client, {"on": "webhook", "webhook": {"mode": mode}}, service="dodo")
    await paid(client)
    ((headers, body),) = await receiver.has(1)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers)
    assert ("webhook-signature" in headers) == (mode == "forged")


async def test_events_can_be_dropped_and_sent_later(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await controlled(client, "PATCH", "settings", webhooks="never")
    await paid(client)
    (dropped,) = await deliveries(client, "dropped")
    assert receiver.received == []
    sent = await controlled(client, "POST", f"webhooks/{dropped['id']}/resend")
    assert (sent["state"], len(sent["attempts"])) == ("delivered", 1)
    assert ids(receiver.received) == [dropped["id"]]


async def test_a_rule_drops_only_the_events_it_is_about(client: httpx.AsyncClient, receiver: Receiver) -> None:
    rule = {"on": "webhook", "times": None, "contains": "refund.", "webhook": {"mode": "never"}}
    await script(client, rule, service="dodo")
    payment = await paid(client)
    await controlled(client, "POST", f"payments/{payment['payment_id']}/refunds")
    await controlled(client, "POST", f"payments/{payment['payment_id']}/disputes")
    received = bodies(await receiver.has(2))
    assert sorted(event["type"] for event in received) == ["dispute.opened", "payment.succeeded"]


async def test_held_events_are_released_in_another_order(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await controlled(client, "PATCH", "settings", webhooks="held")
    payment = await paid(client)
    await controlled(client, "POST", f"payments/{payment['payment_id']}/refunds", amount=100)
    await controlled(client, "POST", f"payments/{payment['payment_id']}/disputes")
    first, second, third = await deliveries(client, "held")
    await controlled(client, "POST", "webhooks/release", ids=[second["id"]])
    await controlled(client, "POST", "webhooks/release", reverse=True)
    assert ids(receiver.received) == [second["id"], third["id"], first["id"]]


async def test_an_event_released_in_vain_is_tried_again(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await controlled(client, "PATCH", "settings", webhooks="held")
    await paid(client)
    receiver.answers = [503]
    await controlled(client, "POST", "webhooks/release")
    await receiver.has(2)
    (delivery,) = await deliveries(client, "delivered")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [503, 204]


async def test_an_event_can_come_twice(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await script(client, {"on": "webhook", "webhook": {"mode": "twice"}}, service="dodo")
    await paid(client)
    first, second = await receiver.has(2)
    assert first[1] == second[1]
    assert first[0]["webhook-id"] == second[0]["webhook-id"]


async def test_an_event_can_come_many_times_at_once(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await paid(client)
    (delivery,) = await deliveries(client, "delivered")
    await controlled(client, "POST", f"webhooks/{delivery['id']}/resend", copies=20)
    assert ids(receiver.received) == [delivery["id"]] * 21


async def test_an_event_can_come_again_under_a_new_id(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await paid(client)
    (delivery,) = await deliveries(client, "delivered")
    again = await controlled(client, "POST", f"webhooks/{delivery['id']}/resend", new_id=True)
    assert ids(receiver.received) == [delivery["id"], again["id"]]
    assert len(set(ids(receiver.received))) == 2
    first, second = bodies(receiver.received)
    assert first == second


async def test_a_script_can_delay_an_event(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await script(client, {"on": "webhook", "webhook": {"delay": 600}}, service="dodo")
    await paid(client)
    await asyncio.sleep(0.05)
    assert receiver.received == []


async def test_any_contents_can_be_sent_validly_signed(client: httpx.AsyncClient, receiver: Receiver) -> None:
    payment = await paid(client)
    await receiver.has(1)
    forged = {"product_cart": [{"product_id": "pdt_other", "quantity": 1_000}]}
    answer = await controlled(client, "POST", "webhooks/send", payment_id=payment["payment_id"], data=forged)
    assert [attempt["status"] for attempt in answer["attempts"]] == [204]
    headers, body = receiver.received[1]
    Webhook(SECRET).verify(body, headers)
    assert json.loads(body)["data"] == {"payload_type": "Payment", **payment, **forged}
    await controlled(client, "POST", "webhooks/send", type="licence.found", data={"a": 1}, id="evt_mine")
    headers, body = receiver.received[2]
    assert headers["webhook-id"] == "evt_mine"
    assert (json.loads(body)["type"], json.loads(body)["data"]["a"]) == ("licence.found", 1)


@pytest.mark.parametrize(
    "parcel",
    [
        {"signature": "forged"},
        {"signature": "unsigned"},
        {"age": 301},
        {"age": -301},
        {"headers": {"webhook-id": None}},
        {"headers": {"webhook-signature": "v1,AAAA"}},
        {"headers": {"webhook-timestamp": "soon"}},
    ],
)
async def test_what_nobody_should_believe_can_be_sent(
    client: httpx.AsyncClient, receiver: Receiver, parcel: dict[str, Any]
) -> None:
    await controlled(client, "POST", "webhooks/send", text='{"type": "payment.succeeded"}', **parcel)
    ((headers, body),) = await receiver.has(1)
    assert body == b'{"type": "payment.succeeded"}'
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers)


async def test_copies_of_anything_go_out_at_once(client: httpx.AsyncClient, receiver: Receiver) -> None:
    answer = await controlled(client, "POST", "webhooks/send", copies=5)
    assert ids(receiver.received) == [answer["id"]] * 5


async def test_events_without_an_address_wait_for_somebody_to_send_them(receiver: Receiver) -> None:
    async with running(dodo_webhook_speedup=1e9) as client:
        await paid(client)
        (delivery,) = await deliveries(client, "failed")
        assert "no address" in delivery["attempts"][0]["fault"]
        assert (await client.post(f"{CONTROL}/webhooks/send", json={})).status_code == 404
        await aimed_at(client, receiver)
        sent = await controlled(client, "POST", f"webhooks/{delivery['id']}/resend")
    assert sent["state"] == "delivered"


async def test_events_that_go_out_are_in_the_log(client: httpx.AsyncClient, receiver: Receiver) -> None:
    await paid(client)
    await deliveries(client, "delivered")
    (call,) = (await client.get(CONTROL, params={"operation": "webhook"})).json()["calls"]
    assert (call["path"], call["status"], call["body"]["type"]) == (receiver.url, 204, "payment.succeeded")
