"""Attacks on money: credits that nobody paid for, and other people's purchases."""

import asyncio
import json
from typing import Any

import httpx

from sandbox.config import make_webhook_secret
from sandbox.webhooks import signed_headers
from tests.attack.target import Account, Finding, Target, counted

_ORDERED = 10
_TIMES = 20


async def forged_payments(target: Target) -> Finding:
    """A payment is claimed that nobody made"""
    eve = await target.customer()
    before = await _credits(target, eve)
    order = await _order(target, eve)
    event = {
        "type": "payment.succeeded",
        "data": {
            "payment_id": "pay_forged",
            "status": "succeeded",
            "total_amount": 100 * _ORDERED,
            "currency": "USD",
            "product_cart": [{"product_id": "pdt_one_credit", "quantity": _ORDERED}],
            "checkout_session_id": order["session_id"],
            "metadata": {"transaction_id": str(order["transaction_id"])},
        },
    }
    body = json.dumps(event).encode()
    own = signed_headers(make_webhook_secret(), "evt_forged", body)
    no_algorithm = {**own, "webhook-signature": "none,"}
    codes = [(await _post(target, body, headers)).status_code for headers in ({}, own, no_algorithm)]
    async with target.client(**eve.bearer) as client:
        claim = {"transaction_id": str(order["transaction_id"]), "payment_id": "pay_forged", "status": "succeeded"}
        await client.get(f"{target.url_without_proxy}/payment/return", params=claim)
    won = await _credits(target, eve) - before
    told = f"{counted(codes)}; {won} credits won"
    return Finding("events under no key and another, the way back", told, set(codes) == {401} and won == 0)


async def replayed_payment(target: Target) -> Finding:
    """A true payment's event is recorded, altered and replayed"""
    eve = await target.customer()
    before = await _credits(target, eve)
    await target.dodo.told(await target.dodo.pay((await _order(target, eve))["session_id"]))
    sent = (await target.dodo.calls("webhook"))[-1]
    headers = {name: value for name, value in sent.headers.items() if name.startswith("webhook-")}
    body = json.dumps(sent.body, separators=(",", ":"), ensure_ascii=False).encode()
    altered = body.replace(b'"payment_id":"pay_', b'"payment_id":"pay_x')
    same = await asyncio.gather(*(_post(target, body, headers) for _ in range(_TIMES)))
    others = [await _post(target, body, {**headers, "webhook-id": f"evt_{n}"}) for n in range(3)]
    others.append(await _post(target, altered, headers))
    won = await _credits(target, eve) - before
    codes = [[answer.status_code for answer in answers] for answers in (same, others)]
    told = f"{counted(codes[0])}; altered: {counted(codes[1])}; {won} credits for {_ORDERED}"
    held = set(codes[0]) == {200} and set(codes[1]) == {401} and won == _ORDERED
    return Finding(f"{_TIMES} at once, 3 under other ids, 1 altered", told, held)


async def anothers_purchase(target: Target) -> Finding:
    """Somebody else's purchase is looked at, or its key used"""
    victim, eve = await target.customer(), await target.customer()
    order = await _order(target, victim, key="victims-key")
    async with target.client(**eve.bearer) as client:
        listed = (await client.get("/payment/transactions")).json()["items"]
        code = (await client.get(f"/payment/transactions/{order['transaction_id']}")).status_code
    own = await _order(target, eve, key="victims-key")
    shared = [name for name in order if order[name] == own[name]]
    told = f"listed: {len(listed)}, looked at: {code}, shared: {', '.join(shared) or 'nothing'}"
    return Finding("the list, the id, the key", told, not listed and code == 404 and not shared)


async def own_prices(target: Target) -> Finding:
    """A customer names the price"""
    eve = await target.customer()
    extras: list[dict[str, Any]] = [
        *({name: 1} for name in ("price", "amount", "total_amount", "credit_price")),
        {"product_id": "pdt_cheap"},
        {"discount_code": "FREE"},
        {"currency": "VND"},
        {"metadata": {"user_id": "1"}},
    ]
    bodies = [*({"credits_amount": 1, **extra} for extra in extras), *({"credits_amount": n} for n in (0, -5, 0.01))]
    before = await target.dodo.count("create_checkout")
    async with target.client(**eve.bearer) as client:
        codes = [(await client.post("/payment/create-checkout", json=body)).status_code for body in bodies]
    opened = await target.dodo.count("create_checkout") - before
    told = f"{counted(codes)}; {opened} checkouts"
    return Finding(f"{len(bodies)} orders", told, set(codes) == {400} and opened == 0)


async def _order(target: Target, account: Account, key: str = "") -> dict[str, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    async with target.client(**account.bearer) as client:
        answer = await client.post("/payment/create-checkout", json={"credits_amount": _ORDERED}, headers=headers)
    opened: dict[str, Any] = answer.raise_for_status().json()
    return opened


async def _credits(target: Target, account: Account) -> int:
    async with target.client(**account.bearer) as client:
        return int((await client.get("/user/credits")).json()["credits"])


async def _post(target: Target, body: bytes, headers: dict[str, str]) -> httpx.Response:
    async with target.client() as client:
        return await client.post(
            "/payment/webhook", content=body, headers={"Content-Type": "application/json", **headers}
        )
