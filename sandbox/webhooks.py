"""Standard Webhooks, sent: https://www.standardwebhooks.com."""

import secrets
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from sandbox.calls import CallLog, Stopwatch
from sandbox.config import make_webhook_secret


def signed_headers(secret: str, message_id: str, body: bytes, at: datetime | None = None) -> dict[str, str]:
    """The three headers that prove a body; `at` must be UTC."""
    moment = at or datetime.now(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body.decode()),
    }


def make_message_id() -> str:
    return "msg_" + secrets.token_urlsafe(18)


class WebhookSender:
    """Sends bodies under one secret. Redirects are not followed; only a 2xx counts as taken."""

    def __init__(self, client: httpx.AsyncClient, secret: str, calls: CallLog) -> None:
        self._client = client
        self._secret = secret
        self._calls = calls

    async def send(self, url: str, body: bytes, message_id: str, *, forged: bool = False) -> bool:
        """One attempt, freshly dated and signed (with a key nobody knows when forged); whether it was taken."""
        headers = signed_headers(make_webhook_secret() if forged else self._secret, message_id, body)
        headers |= {"content-type": "application/json", "user-agent": "hair-tryon-sandbox"}
        call = self._calls.add("webhook", "POST", url, headers=headers.items(), body=body)
        watch = Stopwatch()
        try:
            response = await self._client.post(url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            call.fault = f"{type(error).__name__}: {error}"
            return False
        finally:
            call.seconds = watch.seconds()
        call.status = response.status_code
        return response.is_success
