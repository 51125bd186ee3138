"""The HTTP API, put together and served."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from socket import socket

import structlog
import uvicorn
from dishka import AsyncContainer, Provider, Scope
from dishka.integrations.litestar import DishkaRouter, LitestarProvider
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from application.images.ports import PictureStorage
from bootstrap import schema
from bootstrap.container import create_container
from bootstrap.container.observation import open_spans
from bootstrap.settings import Settings
from domain.errors import Unavailable
from infrastructure.database.view_traces import SqlViewTraces
from infrastructure.job_queue import ArqDoorbell
from infrastructure.metrics.exchange import MetricsExchange, process_name
from infrastructure.metrics.overview import Overview
from infrastructure.metrics.standing import Standing
from infrastructure.progress_hub import ProgressHub
from infrastructure.spans import Spans
from infrastructure.storage.disk import DiskStorage
from infrastructure.version import VERSION
from presentation.http.admin import ADMIN_CONTROLLERS
from presentation.http.auth import AuthController
from presentation.http.authentication import Authenticator, TokenCookies, provide_actor
from presentation.http.bodies import StrictRequest
from presentation.http.documentation import SECURITY_SCHEMES
from presentation.http.edge import Edge
from presentation.http.errors import EXCEPTION_HANDLERS
from presentation.http.forms import Intake
from presentation.http.google import BrowserReturn, GoogleController
from presentation.http.health import Exposition, HealthController, HealthProbes
from presentation.http.images import ImageController, ProviderWebhookController
from presentation.http.injection import RequestContainers
from presentation.http.limits import Limiter, RateLimits
from presentation.http.media import read_picture, receive_file
from presentation.http.metrics import HttpMetrics, WebhookMetrics
from presentation.http.payments import PaymentController, PaymentWebhookController
from presentation.http.progress import ProgressController
from presentation.http.reference import ReferenceJson, ReferencePage
from presentation.http.security import ClientAddresses, Origins
from presentation.http.sessions import SessionController
from presentation.http.sockets import OneWayProtocol
from presentation.http.styles import StyleController, StylePages, StylesShortcut
from presentation.http.users import UserController
from presentation.spans import Spans as RequestSpans
from presentation.spans import ViewTraces

log = structlog.get_logger()

PREFIX = "/api/v1"
_ROLE = "api"
LARGEST_JSON = 64 * 1024
"""Bytes; routes that take more say so."""
_DRAIN_SECONDS = 20
_STARTUP_FAILURE = 3
"""The exit code that uvicorn has for it."""
_LARGEST_MESSAGE = 4096
"""Bytes that a WebSocket's client may send at once; nothing that it says is read."""


def create_app(settings: Settings, *overrides: Provider) -> Litestar:
    """Build the API's routes over a container; `overrides` replace adapters (with `override=True`)."""
    limiter = Limiter(RateLimits(settings.rate_limit_generate, settings.rate_limit_auth, settings.rate_limit_default))
    registry = CollectorRegistry()
    spans = open_spans(settings, process_name(_ROLE))
    web = _web(settings, limiter, registry, spans)
    container = create_container(settings, web, LitestarProvider(), *overrides, role=_ROLE)

    @asynccontextmanager
    async def with_container(app: Litestar) -> AsyncIterator[None]:
        app.state.authenticator = await container.get(Authenticator)
        app.state.style_pages = await container.get(StylePages)
        app.state.probes = await _probes(container)
        app.state.progress_hub = await container.get(ProgressHub)
        app.state.metrics.count_streams(lambda: app.state.progress_hub.open_streams)
        await container.get(WebhookMetrics)  # for its series to be there with zero
        app.state.exposition = await _exposition(container)
        if settings.storage == "disk":
            app.state.form_storage = disk = await container.get(DiskStorage)
            app.state.read_signed = disk.read_signed
        try:
            yield
        finally:
            await container.close()
            await asyncio.to_thread(spans.close)

    app = Litestar(
        [
            _api(with_google=bool(settings.google_client_id)),
            HealthController,
            *([read_picture, receive_file] if settings.storage == "disk" else []),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[with_container],
        request_class=StrictRequest,
        request_max_body_size=LARGEST_JSON,
        openapi_config=OpenAPIConfig(
            title="Hair Try-On",
            version=VERSION,
            description="A portrait and a hairstyle in, the same person with that hair out, from up to four sides.",
            path="/schema",
            render_plugins=[ReferencePage(), ReferenceJson()],
            components=Components(security_schemes=SECURITY_SCHEMES),
            use_handler_docstrings=True,
        ),
        logging_config=None,
        debug=False,
    )
    app.state.metrics = HttpMetrics(registry)
    app.state.intake = Intake()
    app.state.form_intake = Intake(each=1)  # of each form
    app.state.completions = Intake(each=8)  # of each customer
    app.state.metrics_token = settings.metrics_token
    app.state.dishka_container = container
    app.asgi_handler = _edge(settings, app, limiter, spans)
    return app


@cache
def _api(*, with_google: bool) -> Router:
    """The routes below the prefix, of which each app takes a copy.

    Made once, for that takes as long as all the rest of an app, and dishka wraps a method of each class that it is
    given, over what it wrapped before.
    """
    return DishkaRouter(
        PREFIX,
        route_handlers=[
            AuthController,
            *([GoogleController] if with_google else []),
            SessionController,
            UserController,
            StyleController,
            ImageController,
            PaymentController,
            ProgressController,
            ProviderWebhookController,
            PaymentWebhookController,
            *ADMIN_CONTROLLERS,
        ],
        dependencies={"actor": Provide(provide_actor)},
    )


def _web(settings: Settings, limiter: Limiter, registry: CollectorRegistry, spans: Spans) -> Provider:
    """Make what only HTTP needs."""
    web = Provider(scope=Scope.APP)
    web.provide(lambda: registry, provides=CollectorRegistry, override=True)
    web.provide(lambda: spans, provides=Spans, override=True)
    web.provide(lambda: spans, provides=RequestSpans)
    web.alias(SqlViewTraces, provides=ViewTraces)
    web.provide(WebhookMetrics)
    web.provide(lambda: limiter, provides=Limiter)
    web.provide(Authenticator)
    web.provide(StylePages)
    cookies = TokenCookies(
        secure=settings.secure_cookies,
        samesite=settings.cookie_samesite,
        access_seconds=int(settings.access_token_minutes * 60),
        refresh_seconds=int(settings.refresh_token_days * 86_400),
    )
    web.provide(lambda: cookies, provides=TokenCookies)
    browser = BrowserReturn(
        cookies, frontend_url=settings.frontend_url or settings.public_url, secure=settings.secure_cookies
    )
    web.provide(lambda: browser, provides=BrowserReturn)
    return web


def _edge(settings: Settings, app: Litestar, limiter: Limiter, spans: Spans) -> ASGIApp:
    proxies = [part.strip() for part in settings.trusted_proxies.split(",") if part.strip()]
    return Edge(
        StylesShortcut(RequestContainers(app.asgi_handler, app.state.dishka_container), PREFIX),
        origins=Origins(settings.origins),
        addresses=ClientAddresses(proxies),
        limiter=limiter,
        metrics=app.state.metrics,
        spans=spans,
        https=settings.is_https,
    )


async def _probes(container: AsyncContainer) -> HealthProbes:
    engine = await container.get(AsyncEngine)
    doorbell = await container.get(ArqDoorbell)
    storage = await container.get(PictureStorage)

    async def ask_database() -> None:
        """One that lacks migrations is of no more use than none: it came back empty, or a deployment forgot them."""
        async with engine.connect() as connection:
            schema.require(await connection.scalar(text(schema.REVISION)))

    return HealthProbes({"database": ask_database}, {"redis": doorbell.ping, "storage": storage.ping})


async def _exposition(container: AsyncContainer) -> Exposition:
    overview = Overview(
        await container.get(CollectorRegistry), await container.get(MetricsExchange), await container.get(Standing)
    )
    return overview.text


def serve(settings: Settings, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then answer what has begun, and end.

    Raises `MigrationsPending` when the database lacks some. One that is away stops nobody: readiness tells.
    """
    try:
        asyncio.run(schema.look(settings.database_url))
    except Unavailable as failure:
        log.warning("database_away", reason=failure.detail)
    app = create_app(settings)
    server = DrainingServer(server_config(app, host=host, port=port), app)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_STARTUP_FAILURE)


def server_config(app: Litestar, *, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves the API."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        date_header=True,
        log_config=None,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        proxy_headers=False,
        ws=OneWayProtocol,
        ws_max_size=_LARGEST_MESSAGE,
        ws_per_message_deflate=False,
    )


class DrainingServer(uvicorn.Server):
    """Ends the streams before it waits for what else has begun: they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, app: Litestar) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        await self._app.state.progress_hub.end_streams()
        await super().shutdown(sockets)
