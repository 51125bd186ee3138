"""The webhooks of a prediction. https://replicate.com/docs/topics/webhooks/receive-webhook"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec

from sandbox.replicate.prediction import Prediction
from sandbox.script import WebhookBehaviour
from sandbox.webhooks import WebhookSender, make_message_id


class Tasks:
    """Work in the background, held so that it is neither lost nor left behind."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Announcer:
    """Tells one prediction's events to the address it was created with, if there is one.

    Only the last event is tried again when it is not taken. `settled` is set once its first attempt is over.
    """

    def __init__(
        self,
        sender: WebhookSender,
        tasks: Tasks,
        retry_seconds: tuple[float, ...],
        url: str | None,
        events: frozenset[str],
        behaviour: WebhookBehaviour,
    ) -> None:
        self._sender = sender
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
        return await self._sender.send(url, body, message_id, forged=self._behaviour.mode == "forged")
