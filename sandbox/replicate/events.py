"""The webhooks of a prediction. https://replicate.com/docs/topics/webhooks/receive-webhook"""

import asyncio

import msgspec

from sandbox.config import make_webhook_secret
from sandbox.replicate.prediction import Prediction
from sandbox.script import WebhookBehaviour
from sandbox.tasks import Tasks
from sandbox.webhooks import WebhookSender, make_message_id, signed_headers


class Announcer:
    """Tells one prediction's events to the address it was created with, if there is one.

    Only the last event is tried again when it is not taken. `settled` is set once its first attempt is over.
    """

    def __init__(
        self,
        sender: WebhookSender,
        secret: str,
        tasks: Tasks,
        retry_seconds: tuple[float, ...],
        url: str | None,
        events: frozenset[str],
        behaviour: WebhookBehaviour,
    ) -> None:
        self._sender = sender
        self._secret = secret
        self._tasks = tasks
        self._retry_seconds = retry_seconds
        self._url = url
        self._events = events
        self._behaviour = behaviour
        self.settled = asyncio.Event()

    def announce(self, event: str, prediction: Prediction) -> None:
        """Send the prediction as it is now."""
        last = event == "completed"
        if self._url is not None and event in self._events and self._behaviour.mode != "never":
            self._tasks.start(self._deliver(self._url, msgspec.json.encode(prediction), last=last))
        elif last:
            self.settled.set()

    async def _deliver(self, url: str, body: bytes, *, last: bool) -> None:
        await asyncio.sleep(self._behaviour.delay)
        message_id = make_message_id()
        copies = 2 if self._behaviour.mode == "twice" else 1
        for pause in (*self._retry_seconds, None) if last else (None,):
            taken = [await self._send(url, body, message_id) for _ in range(copies)]
            if last:
                self.settled.set()
            if all(taken) or pause is None:
                return
            await asyncio.sleep(pause)

    async def _send(self, url: str, body: bytes, message_id: str) -> bool:
        """One attempt, freshly dated and signed (with a key nobody knows when forged); whether it was taken."""
        secret = make_webhook_secret() if self._behaviour.mode == "forged" else self._secret
        return (await self._sender.send(url, body, signed_headers(secret, message_id, body))).taken
