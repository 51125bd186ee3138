"""A database with a few people and pictures in it, and the adapters that handlers find in one transaction."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import asyncpg
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from application.credits.ports import LedgerAudit
from domain.credits import Cause
from domain.images import GeneratedImage
from domain.sessions import Session
from domain.styles import Style
from domain.uploads import Upload
from domain.users import User
from domain.views import RenderPolicy, View
from infrastructure.database.acceptances import SqlAcceptances
from infrastructure.database.audit import SqlAuditLog
from infrastructure.database.credits import SqlCreditAccounts
from infrastructure.database.engine import ReadPool, create_engine, create_sessions, open_read_pool
from infrastructure.database.expected_files import SqlExpectedFiles, SqlUnneededFiles
from infrastructure.database.holds import SqlHolds
from infrastructure.database.idempotency import SqlIdempotencyKeys
from infrastructure.database.mailboxes import SqlMailAllowance
from infrastructure.database.materials import SqlTryOnMaterials
from infrastructure.database.outbox import SqlOutbox
from infrastructure.database.progress_log import ProgressLog
from infrastructure.database.purchases import SqlPaymentEvents, SqlPayments, SqlTransactions
from infrastructure.database.readers import SqlLedgerAuditor
from infrastructure.database.repositories import (
    SqlRegistrations,
    SqlSessions,
    SqlStyles,
    SqlUploads,
    SqlUsers,
)
from infrastructure.database.revoked_tokens import SqlRevokedTokens
from infrastructure.database.tally import Tally
from infrastructure.database.transaction import SessionTransaction, WritePool, open_write_pool
from infrastructure.database.try_ons import SqlTryOns
from infrastructure.database.unit_of_work import SqlUnitOfWork
from infrastructure.metrics.work import WorkMetrics
from infrastructure.origins import Origins
from infrastructure.pseudonyms import Pseudonyms
from infrastructure.spans import NoSpans
from tests.factories import StyleFactory, UserFactory
from tests.fakes import FakeDoorbell, FakeProgressBell
from tests.unit.factories import SessionFactory, UploadFactory

_grants = count(1)


class Desk:
    """What one handler works with: every adapter over one session, and those whose transactions are their own."""

    def __init__(
        self,
        session: AsyncSession,
        doorbell: FakeDoorbell,
        materials: SqlTryOnMaterials,
        acceptances: SqlAcceptances,
        metrics: WorkMetrics,
    ) -> None:
        self.session = session
        self.materials = materials
        self.acceptances = acceptances
        self.transaction = transaction = SessionTransaction(session)
        self.outbox = SqlOutbox(transaction)
        self.progress_bell = FakeProgressBell()
        self.images = SqlTryOns(transaction, Origins(NoSpans()))
        log = ProgressLog(transaction, self.progress_bell)
        self.tally = Tally(metrics)
        self.uow = SqlUnitOfWork(transaction, self.images, self.outbox, doorbell, log, self.tally)
        self.holds = SqlHolds(transaction, self.tally)
        self.users = SqlUsers(session)
        self.registrations = SqlRegistrations(session)
        self.sessions = SqlSessions(session)
        self.styles = SqlStyles(session)
        self.uploads = SqlUploads(session)
        self.expected = SqlExpectedFiles(session)
        self.unneeded = SqlUnneededFiles(session)
        self.accounts = SqlCreditAccounts(session, self.tally)
        self.allowance = SqlMailAllowance(session, Pseudonyms("a key for tests"))
        self.revoked = SqlRevokedTokens(session)
        self.idempotency = SqlIdempotencyKeys(transaction)
        self.transactions = SqlTransactions(session)
        self.payments = SqlPayments(session)
        self.events = SqlPaymentEvents(session)
        self.audit = SqlAuditLog(session)


@dataclass
class Stage:
    engine: AsyncEngine
    pool: ReadPool
    write_pool: WritePool
    database: asyncpg.Connection
    doorbell: FakeDoorbell

    def __post_init__(self) -> None:
        self._sessions = create_sessions(self.engine)
        self.policy = RenderPolicy()
        self.registry = CollectorRegistry()
        self.metrics = WorkMetrics(self.registry)
        self.materials = SqlTryOnMaterials(self.pool)
        self.acceptances = SqlAcceptances(
            self.write_pool, self.doorbell, FakeProgressBell(), self.metrics, Origins(NoSpans())
        )

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        """A handler's desk; what it did not commit has not happened."""
        async with self._sessions() as session:
            yield self.desk_of(session)

    def desk_of(self, session: AsyncSession) -> Desk:
        return Desk(session, self.doorbell, self.materials, self.acceptances, self.metrics)

    async def add(self, *entities: object) -> None:
        async with self._sessions() as session:
            session.add_all(entities)
            await session.commit()

    async def user(self, *, credits_: int = 0, **fields: Any) -> User:
        user = UserFactory.build(**fields)
        await self.add(user)
        if credits_:
            async with self.desk() as desk:
                key = f"to begin with:{next(_grants)}"
                await desk.accounts.record(user.id, credits_, Cause.GRANT, natural_key=key)
                await desk.uow.commit()
        return user

    async def style(self, **fields: Any) -> Style:
        style = StyleFactory.build(**fields)
        await self.add(style)
        return style

    async def upload(self, user: User, **fields: Any) -> Upload:
        upload = UploadFactory.build(user_id=user.id, **fields)
        await self.add(upload)
        return upload

    async def session_of(self, user: User, **fields: Any) -> Session:
        now = await self.now()
        times = {"created_at": now, "rotated_at": now, "last_used_at": now}
        session = SessionFactory.build(user_id=user.id, **(times | fields))
        await self.add(session)
        return session

    async def image(
        self, user: User, *sides: View, style: Style | None = None, upload: Upload | None = None, held: bool = False
    ) -> GeneratedImage:
        """A try-on that was accepted just now; `held` reserves its price too."""
        style = style or await self.style()
        upload = upload or await self.upload(user)
        image = GeneratedImage.request(
            owner=user.id,
            style=(style.id, style.prompt_version),
            upload_id=upload.id,
            views=(View.FRONT, *sides),
            folder=secrets.token_urlsafe(24),
            now=await self.database.fetchval("SELECT now()"),
            policy=self.policy,
        )
        assert await self.accept(image, held=held)
        return image

    async def accept(self, image: GeneratedImage, *, held: bool = True, lender: int | None = None) -> bool:
        """Whether what it is made of was there."""
        to_render = [view for view in image.views if view.open] if held else []
        accepted = await self.acceptances.accept(image, held=to_render, announced=[], lender=lender, request=None)
        return accepted is not None

    async def now(self) -> datetime:
        now: datetime = await self.database.fetchval("SELECT clock_timestamp()")
        return now

    async def audit(self) -> LedgerAudit:
        return await SqlLedgerAuditor(self.pool).audit()

    async def sums(self, user: User) -> tuple[int, int]:
        """Credits, and those of them that are held."""
        row = await self.database.fetchrow("SELECT credits, credits_held FROM users WHERE id = $1", user.id)
        return row["credits"], row["credits_held"]

    async def outbox(self) -> Sequence[asyncpg.Record]:
        rows: Sequence[asyncpg.Record] = await self.database.fetch("SELECT * FROM outbox ORDER BY id")
        return rows


@asynccontextmanager
async def open_stage(database_url: str) -> AsyncIterator[Stage]:
    engine = create_engine(database_url, connections=10)
    database = await asyncpg.connect(database_url)
    try:
        async with (
            open_read_pool(database_url, connections=5) as pool,
            open_write_pool(database_url, connections=5) as write_pool,
        ):
            yield Stage(engine, pool, write_pool, database, FakeDoorbell())
    finally:
        await database.close()
        await engine.dispose()
