"""Payments through Dodo Payments (https://docs.dodopayments.com/api-reference/introduction)."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

import httpx
import msgspec
import structlog
from msgspec import Meta, Struct

from application.payments.ports import (
    Checkout,
    CheckoutOrder,
    PaymentEvent,
    PaymentProvider,
    PaymentState,
    PaymentWebhook,
    RefundReport,
)
from application.webhooks import WebhookVerifier
from domain.errors import Conflict, Unavailable
from infrastructure.bounded_replies import read_bounded
from infrastructure.dodo_wire import TRANSACTION, USER, Reference, read_event, read_payment, read_refund

log = structlog.get_logger()

CALL_SECONDS = 10.0
"""A customer waits for the checkout."""
RETRY_AFTER_SECONDS = 5.0
MAX_BYTES = 1024 * 1024

_NOT_FOUND = 404
_TOO_MANY = 429
_CONFLICTS = {400, 409, 410, 422}
"""With these a refund is refused for what it asks, not for who asks; which code goes with which is not documented."""
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)
_NO_TYPE = "unreadable"

T = TypeVar("T")


class _Reply(Struct, frozen=True):
    status: int
    body: bytes


class _Session(Struct, frozen=True):
    session_id: Reference
    checkout_url: Annotated[str, Meta(pattern=r"\Ahttps?://[\x21-\x7e]{1,2000}\Z")]


class _SessionState(Struct, frozen=True):
    payment_id: Reference | None = None


class _LineItem(Struct, frozen=True):
    items_id: Reference


class _LineItems(Struct, frozen=True):
    items: Annotated[list[_LineItem], Meta(min_length=1)]
    """A refund that names no line is one of everything."""


class _Refusal(Struct, frozen=True):
    code: str = ""
    message: str = ""


class DodoPayments(PaymentProvider):
    """One call each, never repeated here: neither checkouts nor refunds have an idempotency key at Dodo.

    The official client repeats such calls by itself, and checks no reply; so this speaks HTTP. It follows no redirects
    and takes no proxy from the environment. Without a key nothing is asked, and everything is `Unavailable`.
    """

    def __init__(
        self, *, base_url: str, api_key: str, return_url: str, cancel_url: str, timeout: float = CALL_SECONDS
    ) -> None:
        self._configured = bool(api_key)
        self._return_url = return_url
        self._cancel_url = cancel_url
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={
                "Authorization": f"Bearer {api_key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
            timeout=httpx.Timeout(timeout, connect=5),
            follow_redirects=False,
            trust_env=False,
        )

    async def open_checkout(self, order: CheckoutOrder) -> Checkout:
        session = {
            "product_cart": [{"product_id": order.product_id, "quantity": order.quantity}],
            "customer": {"email": order.email, "name": order.name},
            "billing_currency": order.currency,
            "return_url": f"{self._return_url}?transaction_id={order.transaction_id}",
            "cancel_url": f"{self._cancel_url}?transaction_id={order.transaction_id}",
            "metadata": {TRANSACTION: str(order.transaction_id), USER: str(order.user_id)},
            "feature_flags": {"allow_discount_code": False, "allow_currency_selection": False},
        }
        reply = await self._call("POST", "/checkouts", session)
        opened = _read(reply, lambda body: msgspec.json.decode(body, type=_Session))
        return Checkout(opened.session_id, opened.checkout_url)

    async def paid_with(self, session_id: str) -> str | None:
        reply = await self._call("GET", f"/checkouts/{session_id}")
        if reply.status == _NOT_FOUND:
            return None
        return _read(reply, lambda body: msgspec.json.decode(body, type=_SessionState)).payment_id

    async def payment(self, payment_id: str) -> PaymentState | None:
        reply = await self._call("GET", f"/payments/{payment_id}")
        return None if reply.status == _NOT_FOUND else _read(reply, read_payment)

    async def refund(self, payment_id: str, *, amount: int | None, reason: str) -> RefundReport:
        wanted: dict[str, object] = {"payment_id": payment_id, "reason": reason}
        if amount is not None:
            # A part is of a line of the invoice; we sell one line.
            lines = await self._call("GET", f"/payments/{payment_id}/line-items")
            items = _read(lines, lambda body: msgspec.json.decode(body, type=_LineItems)).items
            wanted["items"] = [
                {"item_id": item.items_id, "amount": amount, "tax_inclusive": True} for item in items[:1]
            ]
        reply = await self._call("POST", "/refunds", wanted)
        if reply.status in _CONFLICTS:
            refusal = _refusal(reply)
            raise Conflict("conflict", f"The payment provider refused it: {refusal.message or refusal.code}")
        return _read(reply, read_refund)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _call(self, method: str, path: str, content: Mapping[str, object] | None = None) -> "_Reply":
        """The reply, whatever its status but a server's fault; bounded as a whole (httpx bounds each read alone)."""
        if not self._configured:
            raise _unavailable()
        try:
            async with asyncio.timeout(self._timeout), self._client.stream(method, path, json=content) as reply:
                return _Reply(reply.status_code, await read_bounded(reply, MAX_BYTES))
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("payment_provider_silent", call=f"{method} {path.split('/')[1]}", reason=repr(error))
            raise _unavailable() from error


class DodoWebhook(PaymentWebhook):
    """Dodo signs by Standard Webhooks; the event is what the bytes say that it signed."""

    def __init__(self, signatures: WebhookVerifier) -> None:
        self._signatures = signatures

    def open(self, body: bytes, headers: Mapping[str, str]) -> PaymentEvent:
        webhook_id = self._signatures.verify(body, headers)
        try:
            kind, report = read_event(body)
        except _UNREADABLE:
            return PaymentEvent(webhook_id=webhook_id, type=_NO_TYPE, report=None, readable=False, body=body)
        return PaymentEvent(webhook_id=webhook_id, type=kind, report=report, body=body)


def _read(reply: _Reply, read: Callable[[bytes], T]) -> T:
    if not httpx.codes.is_success(reply.status):
        # The customer can do nothing about it; we can, unless Dodo is in trouble or has heard too much from us.
        passes = httpx.codes.is_server_error(reply.status) or reply.status == _TOO_MANY
        level = logging.WARNING if passes else logging.ERROR
        log.log(level, "payment_provider_refused", status=reply.status, code=_refusal(reply).code)
        raise _unavailable()
    try:
        return read(reply.body)
    except _UNREADABLE as error:
        log.warning("payment_provider_unreadable", status=reply.status, reason=str(error))
        raise _unavailable() from error


def _refusal(reply: _Reply) -> _Refusal:
    try:
        return msgspec.json.decode(reply.body, type=_Refusal)
    except _UNREADABLE:
        return _Refusal()


def _unavailable() -> Unavailable:
    return Unavailable(
        "payment_provider_unavailable",
        "The payment provider cannot be reached right now.",
        retry_after=RETRY_AFTER_SECONDS,
    )
