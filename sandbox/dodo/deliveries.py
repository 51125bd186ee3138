"""How events leave. https://docs.dodopayments.com/developer-resources/webhooks

Each attempt shows its resource as it is by then, so that a late `payment.processing` may tell of a payment that has
succeeded. The id stays, the date and the signature are fresh.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from sandbox.calls import Call
from sandbox.config import make_webhook_secret
from sandbox.dodo.errors import not_found
from sandbox.dodo.records import BUSINESS, Records, new_id, written
from sandbox.dodo.settings import Settings
from sandbox.script import Script, WebhookBehaviour
from sandbox.tasks import Tasks
from sandbox.webhooks import WebhookSender, signed_headers

SCHEDULE = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
"""Seconds before each attempt, in Dodo's time. Its text counts eight retries, its example eight attempts in all."""

NO_ADDRESS = "no address: webhook_url is not set"


class Attempt(Struct, frozen=True):
    """`status` is what the receiver answered; None: it could not be reached, and `fault` says why."""

    at: str
    status: int | None
    fault: str | None
    seconds: float | None


class Delivery(Struct, kw_only=True, eq=False):
    """One event on its way. `state` is `sending`, `held`, `dropped`, `delivered` or `failed`."""

    webhook_id: str
    type: str
    at: datetime
    resource: Callable[[], Mapping[str, Any]]
    behaviour: WebhookBehaviour
    state: str = "sending"
    attempts: list[Attempt] = field(default_factory=list)

    def body(self) -> bytes:
        return envelope(self.type, self.resource(), self.at)

    def wire(self) -> dict[str, Any]:
        data = self.resource()
        return {
            "id": self.webhook_id,
            "type": self.type,
            "at": written(self.at),
            "about": data.get("refund_id") or data.get("dispute_id") or data.get("payment_id"),
            "payment_id": data.get("payment_id"),
            "state": self.state,
            "attempts": self.attempts,
        }


class Deliveries:
    """The latest 10,000 events, and what became of them."""

    def __init__(self, settings: Settings, sender: WebhookSender, script: Script) -> None:
        self._settings = settings
        self._sender = sender
        self._script = script
        self._tasks = Tasks()
        self._kept: Records[Delivery] = Records()

    def announce(self, event: str, resource: Callable[[], Mapping[str, Any]]) -> None:
        """Send an event as the script says, else as the settings say."""
        at = datetime.now(UTC)
        rule = self._script.take("webhook", envelope(event, resource(), at).decode())
        behaviour = (rule and rule.webhook) or WebhookBehaviour(mode=self._settings.webhooks)
        delivery = self._keep(event, at, resource, behaviour)
        if behaviour.mode == "held":
            delivery.state = "held"
        elif behaviour.mode == "never":
            delivery.state = "dropped"
        else:
            self._tasks.start(self._deliver(delivery))

    def oldest_first(self) -> list[Delivery]:
        return list(self._kept.values())

    def find(self, webhook_id: str) -> Delivery:
        if webhook_id not in self._kept:
            raise not_found("Webhook event")
        return self._kept[webhook_id]

    def held(self) -> list[Delivery]:
        return [delivery for delivery in self._kept.values() if delivery.state == "held"]

    async def release(self, released: Sequence[Delivery]) -> None:
        """Let held events go one after another, each tried once before the next; whatever fails is tried again."""
        for delivery in released:
            delivery.state = "sending"
        for delivery in released:
            if not await self._attempt(delivery, delivery.behaviour.mode):
                self._tasks.start(self._deliver(delivery, since=1))

    async def resend(self, delivery: Delivery, *, new_id: bool = False, copies: int = 1) -> Delivery:
        """Send an event once more, so many times at once, under its own id or under a new one. It is not retried."""
        if new_id:
            delivery = self._keep(delivery.type, delivery.at, delivery.resource, WebhookBehaviour())
        taken = await asyncio.gather(*(self._attempt(delivery, "normal") for _ in range(copies)))
        if not any(taken) and new_id:
            delivery.state = "failed"
        return delivery

    async def post(self, body: bytes, headers: Mapping[str, str], copies: int) -> list[Call]:
        """Send anything, so many times at once."""
        url = self._settings.webhook_url
        if url is None:
            raise not_found("Address for webhooks")
        return list(await asyncio.gather(*(self._sender.send(url, body, headers) for _ in range(copies))))

    async def close(self) -> None:
        await self._tasks.cancel()

    def _keep(
        self, event: str, at: datetime, resource: Callable[[], Mapping[str, Any]], behaviour: WebhookBehaviour
    ) -> Delivery:
        delivery = Delivery(webhook_id=new_id("evt"), type=event, at=at, resource=resource, behaviour=behaviour)
        return self._kept.keep(delivery.webhook_id, delivery)

    async def _deliver(self, delivery: Delivery, since: int = 0) -> None:
        """Try by the schedule, from that attempt on, until somebody takes it."""
        await asyncio.sleep(delivery.behaviour.delay if since == 0 else 0)
        copies = 2 if delivery.behaviour.mode == "twice" else 1
        for pause in SCHEDULE[since:]:
            await asyncio.sleep(pause / self._settings.webhook_speedup)
            if delivery.state == "delivered":
                return
            if all([await self._attempt(delivery, delivery.behaviour.mode) for _ in range(copies)]):
                return
        if delivery.state != "delivered":
            delivery.state = "failed"

    async def _attempt(self, delivery: Delivery, mode: str) -> bool:
        at = written(datetime.now(UTC))
        url = self._settings.webhook_url
        if url is None:
            delivery.attempts.append(Attempt(at, None, NO_ADDRESS, None))
            return False
        body = delivery.body()
        headers = signature(self._settings.webhook_secret, delivery.webhook_id, body, mode)
        call = await self._sender.send(url, body, headers)
        delivery.attempts.append(Attempt(at, call.status, call.fault, call.seconds))
        if call.taken:
            delivery.state = "delivered"
        return call.taken


def envelope(event: str, data: Mapping[str, Any], at: datetime) -> bytes:
    kind = event.partition(".")[0].capitalize()
    told = {
        "business_id": BUSINESS,
        "type": event,
        "timestamp": written(at),
        "data": {"payload_type": kind, **data},
    }
    return msgspec.json.encode(told)


def signature(secret: str, webhook_id: str, body: bytes, mode: str, at: datetime | None = None) -> dict[str, str]:
    """The headers of an event: `forged` signs with a key that nobody knows, `unsigned` leaves the proof out."""
    headers = signed_headers(make_webhook_secret() if mode == "forged" else secret, webhook_id, body, at)
    if mode == "unsigned":
        del headers["webhook-signature"]
    return headers
