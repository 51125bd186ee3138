"""The service under test, and what must hold after every test whatever its story was."""

import asyncio
import base64
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest
import structlog
from dishka import Provider, Scope
from litestar import Litestar

from application.images.ports import ImageModel, OutputDownloads, PictureStorage
from application.mail import Mailer
from application.payments.ports import PaymentProvider
from benchmarks.relay import Relay, relaying
from bootstrap.http import create_app
from bootstrap.settings import load_settings
from infrastructure.database.outbox import Doorbell
from tests.contract.conftest import RunningSandbox
from tests.integration.http.stories import Outside, Service


class Start(Protocol):
    def __call__(self, *overrides: Provider, real_storage: bool = False, **variables: str) -> Awaitable[Service]:
        """Start the service, with these environment variables and adapters changed.

        `real_storage` is a folder on disk.
        """


@pytest.fixture
async def start(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def begin(*overrides: Provider, real_storage: bool = False, **variables: str) -> Service:
            environ = {
                "HAIRTRYON_ENV": "test",
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "PUBLIC_URL": "https://api.example.com",
                "FRONTEND_URL": "https://app.example.com",
                "MEDIA_DIR": str(tmp_path),
                "SECRET_KEY": secrets.token_urlsafe(32),
                "PSEUDONYM_KEY": secrets.token_urlsafe(32),
                "REPLICATE_WEBHOOK_SECRET": _webhook_secret(),
                "DODO_PAYMENTS_API_KEY": secrets.token_urlsafe(32),
                "DODO_PAYMENTS_PRODUCT_ID": "pdt_one_credit",
                "DODO_PAYMENTS_WEBHOOK_SECRET": _webhook_secret(),
                "RECONCILE_SECONDS": "0.001",
                "POLL_SECONDS": "0.000001",
                "RATE_LIMIT_GENERATE": "1000/minute",
                "RATE_LIMIT_AUTH": "1000/minute",
                "RATE_LIMIT_DEFAULT": "1000/minute",
            }
            return await stack.enter_async_context(
                _running(environ | variables, database_url, *overrides, real_storage=real_storage)
            )

        yield begin


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that is taken and that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """For Google."""
    running = RunningSandbox()
    yield running
    running.stop()


@pytest.fixture
async def relay(database_url: str) -> AsyncIterator[tuple[Relay, str]]:
    """What goes to the database of this test, and the address at which it goes through there."""
    async with relaying(database_url) as relay:
        yield relay


def _webhook_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


@pytest.fixture
async def service(start: Start) -> Service:
    return await start()


@asynccontextmanager
async def _running(
    environ: dict[str, str], database_url: str, *overrides: Provider, real_storage: bool
) -> AsyncIterator[Service]:
    settings = load_settings(environ)
    outside = Outside()
    app = create_app(settings, _provider(outside, real_storage=real_storage), *overrides)
    database = await asyncpg.connect(database_url)
    with structlog.testing.capture_logs() as log:
        async with _lifespan(app):
            service = Service(app, settings, outside, database, log)
            yield service
            if settings.database_url == database_url:
                await _check(service)
    await service.close()
    await database.close()


def _provider(outside: Outside, *, real_storage: bool) -> Provider:
    provider = Provider(scope=Scope.APP)
    if not real_storage:
        provider.provide(lambda: outside.storage, provides=PictureStorage, override=True)
    provider.provide(lambda: outside.model, provides=ImageModel, override=True)
    provider.provide(lambda: outside.downloads, provides=OutputDownloads, override=True)
    provider.provide(lambda: outside.seller, provides=PaymentProvider, override=True)
    provider.provide(lambda: outside.mailer, provides=Mailer, override=True)
    provider.provide(lambda: outside.doorbell, provides=Doorbell, override=True)
    return provider


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    """Keep the app's lifespan in one task, as a server does: a fixture's two halves are two tasks."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await ended.wait()

    living = asyncio.create_task(live())
    await asyncio.wait({living, asyncio.create_task(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if living.done():
            living.result()
        yield
    finally:
        ended.set()
        await living


async def _check(service: Service) -> None:
    """What holds whatever happened: the books balance, no create is unaccounted for, and nothing broke unforeseen.

    Operators were alerted to what the story says, and to nothing else.
    """
    audit = await service.audit()
    assert audit.balanced, audit
    attempts = await service.database.fetchval("SELECT coalesce(sum(attempt), 0) FROM views")
    erased = await service.database.fetchval("SELECT count(*) FROM users WHERE deleted_at IS NOT NULL")
    assert erased or len(service.model.orders) <= attempts + service.unpaid_creates, (
        "of erased works there is nothing left to count"
    )
    alerts = [line for line in service.log if line["event"] == "operator_alert"]
    assert [line["kind"] for line in alerts] == service.expected_alerts
    if not service.expects_errors:
        errors = [line for line in service.log if line["log_level"] in {"error", "critical"}]
        assert [line for line in errors if line not in alerts] == []
