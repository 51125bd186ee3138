"""Mails through Brevo (https://developers.brevo.com/reference/sendtransacemail)."""

import asyncio

import httpx
import msgspec
from msgspec import Struct

from application.mail import Mail, Mailer, MailRefused
from domain.errors import Unavailable

CALL_SECONDS = 15.0

_CLIENT_ERRORS = range(400, 500)
_MAY_PASS = {401, 402, 403, 408, 429}


class _Refusal(Struct, frozen=True):
    code: str = ""


class BrevoMailer(Mailer):
    """One call, never repeated here, for the caller may repeat it.

    Brevo remembers a mail's key for at least a quarter of an hour, and answers `duplicate_parameter` to what it has
    already sent.

    A wrong key and an account without credit (401, 402, 403) may pass: an operator puts them right, and the mail goes.
    """

    def __init__(
        self, *, base_url: str, api_key: str, sender: str, sender_name: str, timeout: float = CALL_SECONDS
    ) -> None:
        self._sender = {"email": sender, "name": sender_name}
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"api-key": api_key, "Accept": "application/json"},
            timeout=httpx.Timeout(timeout, connect=5),
            follow_redirects=False,
            trust_env=False,
        )

    async def send(self, mail: Mail) -> None:
        message = {
            "sender": self._sender,
            "to": [{"email": mail.to, "name": mail.name}],
            "subject": mail.subject,
            "htmlContent": mail.html,
            "textContent": mail.text,
            "headers": {"idempotencyKey": mail.key},
        }
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.post("/smtp/email", json=message)
        except (httpx.HTTPError, TimeoutError) as error:
            raise _unavailable(f"Brevo did not answer: {error!r}") from error
        if response.is_success or _code(response) == "duplicate_parameter":
            return
        told = f"Brevo answered {response.status_code}: {response.text[:500]}"
        if response.status_code in _CLIENT_ERRORS and response.status_code not in _MAY_PASS:
            raise MailRefused(told)
        raise _unavailable(told)

    async def aclose(self) -> None:
        await self._client.aclose()


def _code(response: httpx.Response) -> str:
    try:
        return msgspec.json.decode(response.content, type=_Refusal).code
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _unavailable(detail: str) -> Unavailable:
    return Unavailable("service_unavailable", detail)
