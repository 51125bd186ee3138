"""Dodo as one router: what it consists of, how it is put together, when it starts and stops."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from sandbox.config import SandboxConfig
from sandbox.control import control_router
from sandbox.dodo.api import (
    OPERATIONS,
    CheckoutController,
    DisputeController,
    PaymentController,
    RefundController,
    SecretController,
    as_dodo_says_it,
    key_guard,
    refused,
)
from sandbox.dodo.browser import CheckoutPageController, DashboardController, refused_page
from sandbox.dodo.business import Business
from sandbox.dodo.control import RecordControl, SettingsControl, WebhookControl
from sandbox.dodo.deliveries import Deliveries
from sandbox.dodo.errors import RefusedError, error_body
from sandbox.dodo.settings import MODES, settings_at_start
from sandbox.webhooks import WebhookSender
from sandbox.wire import Wire, wire_middleware

LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=20)


class Dodo:
    """Dodo with one account. `router` speaks for it; `lifespan` must be entered while it is in use."""

    def __init__(self, config: SandboxConfig) -> None:
        settings = settings_at_start(config)
        at_start = msgspec.to_builtins(settings)
        # The limit on time is the sender's, for httpx has none for a whole exchange.
        self._client = httpx.AsyncClient(timeout=None, limits=LIMITS, trust_env=False)  # noqa: S113
        wire = Wire(OPERATIONS, error_body, self._metadata_of, frozenset(MODES))
        wire.on_reset = lambda: settings.change(at_start)
        sender = WebhookSender(self._client, wire.calls, config.dodo_webhook_timeout_seconds)
        self._business = business = Business(config, settings, Deliveries(settings, sender, wire.script))
        self.router = Router(
            "/dodo",
            route_handlers=[
                Router(
                    "/",
                    route_handlers=[
                        CheckoutController,
                        PaymentController,
                        RefundController,
                        DisputeController,
                        SecretController,
                    ],
                    guards=[key_guard(config.dodo_api_key)],
                    exception_handlers={HTTPException: as_dodo_says_it},
                ),
                Router(
                    "/",
                    route_handlers=[CheckoutPageController, DashboardController],
                    exception_handlers={RefusedError: refused_page},
                ),
                control_router(wire, RecordControl, WebhookControl, SettingsControl),
            ],
            dependencies={"business": Provide(lambda: business, sync_to_thread=False)},
            middleware=[wire_middleware(wire)],
            exception_handlers={RefusedError: refused},
        )

    @asynccontextmanager
    async def lifespan(self, _app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await self._business.close()
            await self._client.aclose()

    def _metadata_of(self, path_parameters: Mapping[str, Any]) -> str:
        """What a rule's `contains` may look at besides path and body: the metadata of what is asked for."""
        session = self._business.sessions.get(path_parameters.get("session_id", ""))
        if session is not None:
            return msgspec.json.encode(session.request.metadata).decode()
        payment = self._business.payments.get(path_parameters.get("payment_id", ""))
        return "" if payment is None else msgspec.json.encode(payment.metadata).decode()
