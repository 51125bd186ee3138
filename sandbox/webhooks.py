"""Standard Webhooks, sent: https://www.standardwebhooks.com."""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from sandbox.calls import Call, CallLog, Stopwatch


def signed_headers(secret: str, message_id: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    """The three headers that prove a body; `at` must be UTC.

    Several secrets are separated by spaces, and each of them signs, as while one replaces another.
    """
    moment = at or datetime.now(UTC)
    signatures = [Webhook(each).sign(message_id, moment, body.decode()) for each in secret.split()]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def make_message_id() -> str:
    return "msg_" + secrets.token_urlsafe(18)


class WebhookSender:
    """Posts webhooks and logs them. Redirects are not followed; only a 2xx within so many seconds counts as taken."""

    def __init__(self, client: httpx.AsyncClient, calls: CallLog, timeout_seconds: float) -> None:
        self._client = client
        self._calls = calls
        self._timeout_seconds = timeout_seconds

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Call:
        """One attempt; the entry in the log says what came of it."""
        sent = {**headers, "content-type": "application/json", "user-agent": "hair-tryon-sandbox"}
        call = self._calls.add("webhook", "POST", url, headers=sent.items(), body=body)
        watch = Stopwatch()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                call.status = (await self._client.post(url, content=body, headers=sent)).status_code
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            call.fault = f"{type(error).__name__}: {error}"
        finally:
            call.seconds = watch.seconds()
        return call
