"""The payment provider's events on the wire: only what it signed counts, once, and only for what was ordered."""

import json
from collections import Counter
from typing import Any

import asyncpg
import httpx
import pytest

from tests.faults.database import eventually
from tests.faults.dodo import Attempt
from tests.faults.rig import Rig
from tests.faults.shop import Order, Shop

_EVENTS = "SELECT count(*) FROM payment_events"
_WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
_SLOW_COMMIT = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON payment_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
_PATIENT = 2_000
"""How much faster than in truth the provider repeats an event, where something is to come back in between."""

UNSIGNED: list[dict[str, Any]] = [
    {"signature": "forged"},
    {"signature": "unsigned"},
    {"age": 310},
    {"age": -310},
    {"age": 1e9},
    *({"headers": {name: None}} for name in ("webhook-id", "webhook-timestamp", "webhook-signature")),
    *({"headers": {name: ""}} for name in ("webhook-id", "webhook-timestamp", "webhook-signature")),
    *({"headers": {"webhook-id": value}} for value in ("evt_other", "e" * 300, "evt 1", "..")),
    *(
        {"headers": {"webhook-timestamp": value}}
        for value in ("now", "1e9", "NaN", "inf", "-1", "0", "1_700_000_000", "9" * 400, "1700000000.9")
    ),
    *(
        {"headers": {"webhook-signature": value}}
        for value in (
            "v1",
            "v1,",
            ",",
            "v1,,",
            "v1,a,b",
            "v1 a",
            "v1,not base64!",
            f"v1,{'A' * 43}=",
            f"v2,{'A' * 43}=",
            f"v1a,{'A' * 86}==",
            " ".join([f"v1,{'A' * 43}="] * 500),
            "v1,====",
        )
    ),
]


async def test_what_the_provider_has_not_signed_is_refused_and_leaves_no_trace(
    rig: Rig, shop: Shop, database: asyncpg.Connection
) -> None:
    """401, never a fault, and no row: whatever is missing, malformed, forged, too old or too new."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(0):
        payment_id = await paid_in_silence(rig, shop)
        before = await database.fetchval(_EVENTS)
        for parcel in UNSIGNED:
            assert await rig.dodo.send(payment_id=payment_id, **parcel) == [401], parcel
        raw: list[dict[bytes, bytes]] = [
            {},
            {b"webhook-id": b"evt_\xff", b"webhook-timestamp": b"\xe9", b"webhook-signature": b"v1,\xff"},
            {b"webhook-id": b"evt_1", b"webhook-timestamp": b"1700000000", b"webhook-signature": b"v1,\xc3\xa9"},
        ]
        for headers in raw:
            for body in (b"", b"\xff\xfe", b"{", b"[" * 10_000):
                assert (await post(shop, body, headers)).status_code == 401, (headers, body[:5])
        assert (await post(shop, b" " * 300_000, {})).status_code == 413
        assert await database.fetchval(_EVENTS) == before


@pytest.mark.exhaustive
async def test_the_same_words_in_other_bytes_are_not_what_was_signed(
    rig: Rig, shop: Shop, database: asyncpg.Connection
) -> None:
    """401 for what was parsed and written anew; the bytes that came are taken."""
    rig.provider.expect(creates=0)
    payment_id = await paid_in_silence(rig, shop)
    before = await database.fetchval(_EVENTS)
    async with shop.customer.charged(-10):
        await rig.dodo.settings(webhook_url=f"{rig.url}/nowhere")
        assert (await rig.dodo.resend((await rig.dodo.event(payment_id)).id)).statuses == [404]
        sent = (await rig.dodo.calls("webhook"))[-1]
        headers = {name.encode(): value.encode() for name, value in sent.headers.items() if name.startswith("webhook")}
        for body in (json.dumps(sent.body), json.dumps(sent.body, indent=1), json.dumps(sent.body, sort_keys=True)):
            assert (await post(shop, body.encode(), headers)).status_code == 401
        assert await database.fetchval(_EVENTS) == before
        as_sent = json.dumps(sent.body, separators=(",", ":"), ensure_ascii=False).encode()
        assert (await post(shop, as_sent, headers)).status_code == 200
        assert await database.fetchval(_EVENTS) == before + 1


@pytest.mark.exhaustive
async def test_while_secrets_are_changed_both_are_believed_and_no_third(rig: Rig) -> None:
    """The provider signs with the old, with both, with the new; afterwards the old one is worth nothing."""
    rig.provider.expect(creates=0)
    new, old, foreign = (rig.new_webhook_secret() for _ in range(3))
    answers = {}
    for ours in (f"{new} {old}", new):
        with rig.another_api(DODO_PAYMENTS_WEBHOOK_SECRET=ours) as url:
            await rig.dodo.settings(webhook_url=f"{url}/api/v1/payment/webhook")
            for name, signing in (("old", old), ("both", f"{old} {new}"), ("new", new), ("foreign", foreign)):
                await rig.dodo.settings(webhook_secret=signing)
                answers[ours == new, name] = (await rig.dodo.send("payout.created"))[0]
    assert answers == {
        (False, "old"): 200,
        (False, "both"): 200,
        (False, "new"): 200,
        (False, "foreign"): 401,
        (True, "old"): 401,
        (True, "both"): 200,
        (True, "new"): 200,
        (True, "foreign"): 401,
    }


async def test_one_event_sent_twenty_times_at_once_and_under_other_ids_grants_once(
    rig: Rig, shop: Shop, database: asyncpg.Connection
) -> None:
    """All are answered 200; the credits and the receipt come once."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(-10):
        await rig.dodo.settings(webhooks="held")
        order = await shop.order(10)
        payment_id = await rig.dodo.pay(order.session_id)
        event = await rig.dodo.event(payment_id)
        await rig.mail_service.reset()
        assert Counter((await rig.dodo.resend(event.id, copies=20)).statuses) == {200: 20}
        for _ in range(3):
            assert (await rig.dodo.resend(event.id, new_id=True, copies=5)).statuses == [200] * 5
        assert (await shop.purchase(order.transaction_id)).status == "SUCCEEDED"
        assert await database.fetchval(f"{_EVENTS} WHERE payment_id = $1", payment_id) == 4
        await eventually(lambda: rig.mail_service.count("send"))
        nothing_waits = "SELECT NOT EXISTS (SELECT FROM outbox)"
        await eventually(lambda: database.fetchval(nothing_waits))
        assert await rig.mail_service.count("send") == 1


async def test_what_was_not_ordered_so_is_quarantined_however_well_it_is_signed(rig: Rig, shop: Shop) -> None:
    """200, no credit, an alert each, and a list for operators; the true event is then credited as ever."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(-10):
        order, other = await shop.order(10), await shop.order(10)
        await rig.dodo.settings(webhooks="never")
        payment_id = await rig.dodo.pay(order.session_id)
        untrue = untruths(order, other)
        rig.expect_alerts(*["payment_quarantined"] * len(untrue))
        for data, _ in untrue:
            assert await rig.dodo.send(payment_id=payment_id, data=data) == [200], data
            assert (await shop.purchase(order.transaction_id)).status == "PENDING"
        listed = rig.hairtryon("payment", "list", "--quarantined", "--limit", str(len(untrue)))["items"]
        assert [event["reason"] for event in reversed(listed)] == [reason for _, reason in untrue]
        await rig.dodo.resend((await rig.dodo.event(payment_id)).id)
        assert (await shop.purchase(order.transaction_id)).status == "SUCCEEDED"


def untruths(order: Order, other: Order) -> list[tuple[dict[str, Any], str]]:
    """What an event may say that is not as it was ordered, and what operators are told of it."""
    ids = {"transaction_id": str(order.transaction_id)}
    return [
        ({"product_cart": [{"product_id": "pdt_cheap", "quantity": 10}]}, "product_mismatch"),
        ({"product_cart": []}, "product_mismatch"),
        ({"product_cart": [{"product_id": "pdt_one_credit", "quantity": 5}] * 2}, "product_mismatch"),
        ({"product_cart": [{"product_id": "pdt_one_credit", "quantity": 1000}]}, "quantity_mismatch"),
        ({"product_cart": [{"product_id": "pdt_one_credit", "quantity": 1}]}, "quantity_mismatch"),
        ({"checkout_session_id": "cks_unknown"}, "session_unknown"),
        ({"checkout_session_id": None}, "session_unknown"),
        ({"checkout_session_id": None, "metadata": {}}, "session_unknown"),
        ({"checkout_session_id": other.session_id}, "owner_mismatch"),
        ({"metadata": {**ids, "user_id": "1000000"}}, "owner_mismatch"),
        ({"metadata": {"transaction_id": str(other.transaction_id)}}, "owner_mismatch"),
        ({"total_amount": 999}, "amount_too_low"),
        ({"total_amount": 1000, "tax": 1}, "amount_too_low"),
        ({"status": "processing"}, "status_mismatch"),
        ({"total_amount": "1000"}, "unreadable"),
        ({"payment_id": None}, "unreadable"),
    ]


@pytest.mark.exhaustive
async def test_events_of_other_kinds_are_taken_and_change_nothing(rig: Rig, shop: Shop) -> None:
    """Those that the provider has or may come to have, also of a payment of ours."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(0):
        payment_id = await paid_in_silence(rig, shop)
        kinds = ("payout.created", "subscription.active", "credit.added", "dispute.unheard_of", "payment.authorised")
        for kind in (*kinds, "payment", "", "\u202e"):
            assert await rig.dodo.send(kind, payment_id=payment_id) == [200], kind


async def test_an_event_that_comes_while_postgres_is_down_is_refused_in_time_and_taken_when_it_comes_again(
    rig: Rig, shop: Shop
) -> None:
    """503 within the quarter of a minute that the provider waits; the redelivery grants, nobody starting anything."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(-10):
        await rig.dodo.settings(webhook_speedup=_PATIENT)
        order = await shop.order(10)
        rig.postgres.stop()
        payment_id = await rig.dodo.pay(order.session_id)

        async def attempts() -> list[Attempt]:
            return (await rig.dodo.event(payment_id)).attempts

        await eventually(attempts)
        rig.postgres.start()
        await rig.dodo.told(payment_id)
        statuses = (await rig.dodo.event(payment_id)).statuses
        assert (statuses[0], set(statuses)) == (503, {503, 200})
        assert (await shop.purchase(order.transaction_id)).status == "SUCCEEDED"


@pytest.mark.exhaustive
async def test_an_api_killed_before_its_commit_has_taken_nothing_and_the_redelivery_grants(
    rig: Rig, shop: Shop, database: asyncpg.Connection
) -> None:
    """It has the event's row, the payment's, and waits for the order's when it dies: none of it stays."""
    rig.provider.expect(creates=0)
    async with shop.customer.charged(-10):
        order = await shop.order(10)
        async with database.transaction():
            await database.execute("SELECT FROM transactions WHERE id = $1 FOR UPDATE", order.transaction_id)
            payment_id = await rig.dodo.pay(order.session_id)
            await eventually(lambda: database.fetchval(_WAITING))
            rig.api.kill()
        assert await database.fetchval(f"{_EVENTS} WHERE payment_id = $1", payment_id) == 0
        rig.api.start()
        rig.wait_for_api()
        statuses = (await rig.dodo.resend((await rig.dodo.event(payment_id)).id)).statuses
        assert (statuses[0], statuses[-1]) == (None, 200)
        assert (await shop.purchase(order.transaction_id)).status == "SUCCEEDED"


@pytest.mark.exhaustive
async def test_an_api_killed_while_it_commits_has_granted_and_the_redelivery_does_nothing(
    rig: Rig, shop: Shop, database: asyncpg.Connection
) -> None:
    """What the provider did not hear was done all the same, and is not done twice."""
    rig.provider.expect(creates=0)
    await database.execute(_SLOW_COMMIT)
    try:
        async with shop.customer.charged(-10):
            order = await shop.order(10)
            payment_id = await rig.dodo.pay(order.session_id)
            commits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'COMMIT%' AND state = 'active')"
            await eventually(lambda: database.fetchval(commits))
            rig.api.kill()
            of_payment = f"{_EVENTS} WHERE payment_id = $1"
            await eventually(lambda: database.fetchval(of_payment, payment_id))
            rig.api.start()
            rig.wait_for_api()
            await rig.dodo.resend((await rig.dodo.event(payment_id)).id)
            assert await database.fetchval(of_payment, payment_id) == 1
            assert (await shop.purchase(order.transaction_id)).status == "SUCCEEDED"
    finally:
        await database.execute("DROP FUNCTION dawdle CASCADE")


async def paid_in_silence(rig: Rig, shop: Shop) -> str:
    """A payment for ten credits that nobody hears of; returns its id."""
    order = await shop.order(10)
    await rig.dodo.script({"on": "webhook", "webhook": {"mode": "never"}})
    return await rig.dodo.pay(order.session_id)


async def post(shop: Shop, body: bytes, headers: dict[bytes, bytes]) -> httpx.Response:
    """Send an event as anybody could."""
    given = [(b"Content-Type", b"application/json"), *headers.items()]
    return await shop.customer.http.post("/payment/webhook", content=body, headers=given)
