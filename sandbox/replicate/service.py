"""Replicate as one router: what it consists of, how it is put together, when it starts and stops."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from litestar import Controller, Litestar, Request, Response, Router, get, put
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, NotAuthorizedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from sandbox.config import SandboxConfig, make_webhook_secret
from sandbox.control import control_router, strict_body
from sandbox.replicate.account import Account
from sandbox.replicate.api import PredictionController
from sandbox.replicate.delivery import DeliveryController
from sandbox.replicate.errors import error, error_body
from sandbox.replicate.files import Files
from sandbox.replicate.model import Model, ModelSettings
from sandbox.replicate.predictions import Predictions
from sandbox.replicate.shelf import Shelf
from sandbox.replicate.uploads import FileController
from sandbox.webhooks import WebhookSender
from sandbox.wire import Wire, wire_middleware

OPERATIONS = frozenset({"create", "get", "list", "cancel", "files", "model", "secret", "output", "webhook"})
WEBHOOK_MODES = frozenset({"normal", "never", "twice", "forged", "before_reply"})
TIMEOUT_SECONDS = 10
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)


class ModelControl(Controller):
    path = "/model"

    @get("/")
    async def read(self, account: NamedDependency[Account]) -> ModelSettings:
        return account.settings

    @put("/")
    async def change(self, request: Request[Any, Any, Any], account: NamedDependency[Account]) -> ModelSettings:
        account.settings = await strict_body(request, ModelSettings)
        return account.settings


class Replicate:
    """Replicate with one account. `router` speaks for it; `lifespan` must be entered while it is in use."""

    def __init__(self, config: SandboxConfig, folder: Path) -> None:
        root = f"{config.public_url}/replicate"
        secret = config.replicate_webhook_secret or make_webhook_secret()
        settings = ModelSettings(latency_seconds=config.latency_seconds)
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=LIMITS, trust_env=False)
        wire = Wire(OPERATIONS, error_body, self._input_of, WEBHOOK_MODES)
        uploads = Shelf(folder / "files", config.retention_seconds)
        outputs = Shelf(folder / "outputs", config.retention_seconds)
        files = Files(uploads, f"{root}/v1/files", config.retention_seconds)
        self._model = Model(self._client, uploads, outputs, files.url)
        self._account = account = Account(
            root=root,
            predictions=Predictions(
                root=root,
                model=self._model,
                webhooks=WebhookSender(self._client, wire.calls, TIMEOUT_SECONDS),
                webhook_secret=secret,
                retry_seconds=config.webhook_retry_seconds,
                retention=config.retention_seconds,
            ),
            files=files,
            outputs=outputs,
            wire=wire,
            settings=settings,
            webhook_secret=secret,
        )

        def restore_settings() -> None:
            account.settings = settings

        wire.on_reset = restore_settings
        guard = token_guard(config.replicate_api_token)
        self.router = Router(
            "/replicate",
            route_handlers=[
                Router("/", route_handlers=[PredictionController, FileController], guards=[guard]),
                DeliveryController,
                control_router(wire, ModelControl),
            ],
            dependencies={"account": Provide(lambda: account, sync_to_thread=False)},
            middleware=[wire_middleware(wire)],
            exception_handlers={HTTPException: as_replicate_says_it},
        )

    @asynccontextmanager
    async def lifespan(self, _app: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await self._account.predictions.close()
            self._model.close()
            await self._client.aclose()

    def _input_of(self, path_parameters: Mapping[str, Any]) -> str:
        run = self._account.predictions.find(path_parameters.get("prediction_id", ""))
        return "" if run is None else run.input_text


def token_guard(token: str | None) -> Guard:
    def authenticate(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization", "")
        if token is not None and not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise NotAuthorizedException

    return authenticate


def as_replicate_says_it(_request: Request[Any, Any, Any], raised: HTTPException) -> Response[Any]:
    return error(raised.status_code, None if raised.status_code in {401, 404} else raised.detail)
