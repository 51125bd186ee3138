"""The people and parts that the tests of the API tell stories about."""

from collections.abc import MutableMapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
from dishka import AsyncContainer
from litestar import Litestar
from sqlalchemy import ARRAY, DateTime, Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from application.actor import Actor, Client
from application.auth.ports import UserRepository
from application.auth.sign_in import SignIn
from application.credits.audit_ledger import AuditLedger, AuditLedgerHandler
from application.credits.ports import CreditAccounts, LedgerAudit
from application.images.ports import RenderReader
from application.payments.ports import PurchasesDue
from application.ports import UnitOfWork
from application.styles.ports import StyleRepository
from bootstrap.settings import Settings
from domain.credits import Cause
from domain.sessions import SignInMethod
from infrastructure.database.outbox import OutboxQueue
from infrastructure.database.tables import audit_entries, ledger_entries, metadata
from infrastructure.spans import Spans
from presentation.worker.jobs import CONSUMERS, LONGEST_SECONDS, Jobs
from presentation.worker.lanes import Deliveries, Lane
from presentation.worker.metrics import JobMetrics
from presentation.worker.schedules import Schedules
from tests.factories import StyleFactory, UserFactory, photo
from tests.fakes import FakeDoorbell, FakeDownloads, FakeImageModel, FakeMailer, InMemoryStorage
from tests.selling import FakePaymentProvider

HOME = "203.0.113.7"
"""The address that requests come from unless a test says otherwise."""


_UNCHANGEABLE = (ledger_entries, audit_entries)


class Outside:
    """What stands for the world outside."""

    def __init__(self) -> None:
        self.storage = InMemoryStorage()
        self.model = FakeImageModel()
        self.downloads = FakeDownloads(photo(512, 512))
        self.mailer = FakeMailer()
        self.doorbell = FakeDoorbell()
        self.seller = FakePaymentProvider()


class Worker:
    """The worker's jobs and schedules, run when told to and one after the other."""

    def __init__(self, container: AsyncContainer) -> None:
        self._container = container

    async def drain(self) -> None:
        """Deliver every outbox row that is due, until none is left."""
        get = self._container.get
        jobs = Jobs(self._container, await get(JobMetrics), await get(Spans))
        deliveries = Deliveries(jobs, await get(OutboxQueue), Lane(tuple(CONSUMERS), 1))
        while await deliveries.look():
            await deliveries.drain(LONGEST_SECONDS)

    async def poll(self) -> None:
        """Look at every prediction that is due, and deliver what comes of it."""
        schedules = await self._schedules()
        while await schedules.poll_predictions():
            pass
        await schedules.drain(LONGEST_SECONDS)
        await self.drain()

    async def sweep(self) -> None:
        """End or announce again what nothing moves any more, and deliver what comes of it."""
        await (await self._schedules()).sweep_views()
        await self.drain()

    async def reconcile(self) -> None:
        """Ask the payment provider about purchases that are due, and deliver what comes of it."""
        await (await self._schedules()).reconcile_purchases()
        await self.drain()

    async def keep_house(self) -> None:
        """Remove what has expired, and deliver what comes of it."""
        schedules = await self._schedules()
        while await schedules.purge_expired():
            pass
        await self.drain()

    async def audit(self) -> None:
        """Look whether the books add up."""
        await (await self._schedules()).audit_ledger()

    async def _schedules(self) -> Schedules:
        get = self._container.get
        return Schedules(self._container, await get(RenderReader), await get(PurchasesDue), await get(JobMetrics))


class Service:
    """The API in this event loop, on a database of its own, with a worker and a world outside that can be told."""

    def __init__(
        self,
        app: Litestar,
        settings: Settings,
        outside: Outside,
        database: asyncpg.Connection,
        log: list[MutableMapping[str, Any]],
    ) -> None:
        self.settings = settings
        self.container: AsyncContainer = app.state.dishka_container
        self.storage = outside.storage
        self.model = outside.model
        self.downloads = outside.downloads
        self.mailer = outside.mailer
        self.seller = outside.seller
        self.worker = Worker(self.container)
        self.doorbell = outside.doorbell
        self.database = database
        self.log = log
        """Every line logged so far."""
        self.expects_errors = False
        """Set by a test whose story includes a fault of the service itself."""
        self.expected_alerts: list[str] = []
        """What operators are to be alerted to in a test's story: the kinds, in their order, no more and no oftener."""
        self.unpaid_creates = 0
        """Those that the provider wants money for first: no attempts."""
        self.app: Any = app
        self._clients: list[httpx.AsyncClient] = []

    def browser(self, *, ip: str = HOME, **headers: str) -> httpx.AsyncClient:
        """Somebody who speaks HTTP and keeps cookies. Paths that do not name the host stand below `/api/v1`."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(ip, 50_000)),
            base_url=f"{self.settings.public_url}/api/v1",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            trust_env=False,
        )
        self._clients.append(client)
        return client

    def root(self, path: str) -> str:
        """The address of what stands outside `/api/v1`."""
        return f"{self.settings.public_url}{path}"

    async def customer(self, *, credits: int = 3, ip: str = HOME, **about: Any) -> "Customer":  # noqa: A002 - the field's word
        """A verified customer with so many credits, signed in."""
        user = UserFactory.build(**about)
        async with self.container() as scope:
            uow = await scope.get(UnitOfWork)
            await (await scope.get(UserRepository)).add(user)
            await uow.flush()
            if credits:
                accounts = await scope.get(CreditAccounts)
                await accounts.record(user.id, credits, Cause.GRANT, natural_key=f"grant:test:{user.id}")
            tokens = await (await scope.get(SignIn)).begin(user, Client(), SignInMethod.PASSWORD, await uow.now())
            await uow.commit()
        api = self.browser(ip=ip, Authorization=f"Bearer {tokens.access_token}")
        return Customer(self, api, user.id, user.email)

    async def style(self, **about: Any) -> int:
        """Add a style to the catalogue; returns its id."""
        style = StyleFactory.build(**about)
        async with self.container() as scope:
            await (await scope.get(StyleRepository)).add(style)
            await (await scope.get(UnitOfWork)).commit()
        return style.id

    async def work(self) -> None:
        """Everything that can be done now, by the worker and by the provider; nothing that waits for time to pass."""
        await self.worker.drain()
        while self.model.render():
            await self.worker.poll()

    async def work_for(self, seconds: int, *, step: int = 5) -> None:
        """Work while this time passes, step by step, with the sweeper going round."""
        for _ in range(0, seconds, step):
            await self.work()
            await self.pass_time(step)
            await self.worker.sweep()
        await self.work()

    async def keep_house(self) -> None:
        """What workers do every ten minutes."""
        await self.worker.keep_house()

    async def pass_time(self, seconds: float) -> None:
        """Make everything in the database so much older.

        Tokens stay as they are, for the machine's clock judges them, and so do the ledger and the audit log, which
        nothing may change.
        """
        engine = await self.container.get(AsyncEngine)
        async with engine.begin() as connection:
            for table in metadata.sorted_tables:
                older = _moments_before(table, timedelta(seconds=seconds))
                if older and table not in _UNCHANGEABLE:
                    await connection.execute(update(table).values(older))

    async def count(self, table: str) -> int:
        return int(await self.database.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - our own tables

    async def audit(self) -> LedgerAudit:
        """What `hairtryon credits audit` finds."""
        async with self.container() as scope:
            handle = await scope.get(AuditLedgerHandler)
            return await handle(AuditLedger(), Actor.operator("test"))

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


class Customer:
    """Somebody with an account and a valid access token; `api` sends it along."""

    def __init__(self, service: Service, api: httpx.AsyncClient, user_id: int, email: str) -> None:
        self.id = user_id
        self.email = email
        self.api = api
        self._service = service
        self._photo = ""

    async def get(self, path: str, **query: Any) -> Any:
        response = await self.api.get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def upload(self, data: bytes | None = None) -> str:
        """Upload a photo; returns the address that names it."""
        response = await self.api.post("/image/upload", files={"file": ("me.jpg", data or photo())})
        assert response.status_code == 201, response.text
        return str(response.json()["image_input_url"])

    async def upload_address(self) -> str:
        """The address of the first photo; uploads it when there is none yet."""
        self._photo = self._photo or await self.upload()
        return self._photo

    async def order(self, views: Sequence[str] = ("front",), *, style: int | None = None, **changed: Any) -> Any:
        """A body for generate: the first photo, the style named or else a new one."""
        address = await self.upload_address()
        style_id = style if style is not None else await self._service.style()
        return {"style_id": style_id, "image_input_url": address, "views": list(views), **changed}

    async def ask(self, body: Any, *, key: str | None = None) -> httpx.Response:
        """Ask to generate, whatever the answer."""
        return await self.api.post("/image/generate", json=body, headers={"Idempotency-Key": key} if key else {})

    async def generate(self, views: Sequence[str] = ("front",), **changed: Any) -> int:
        """Ask to generate and be accepted; returns the image's id."""
        response = await self.ask(await self.order(views, **changed))
        assert response.status_code == 202, response.text
        return int(response.json()["image_id"])

    async def status(self, image_id: int) -> Any:
        return await self.get(f"/image/status/{image_id}")

    async def views(self, image_id: int) -> dict[str, tuple[str, str | None]]:
        """Status and error of each view."""
        return {view["view"]: (view["status"], view["error"]) for view in (await self.status(image_id))["views"]}

    async def credits(self) -> tuple[int, int]:
        """All credits, and how many of them are held."""
        balance = await self.get("/user/credits")
        return balance["credits"], balance["credits_held"]


def _moments_before(table: Table, passed: timedelta) -> dict[str, Any]:
    """The times in a table, each so much earlier."""
    older: dict[str, Any] = {}
    for column in table.columns:
        if isinstance(column.type, DateTime):
            older[column.name] = column - passed
        elif isinstance(column.type, ARRAY) and isinstance(column.type.item_type, DateTime):
            moment = func.unnest(column, type_=DateTime(timezone=True)).column_valued()
            older[column.name] = select(func.array_agg(moment - passed)).correlate(table).scalar_subquery()
    return older
