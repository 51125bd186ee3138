"""The database: what stands behind the ports that read and write it."""

from collections.abc import AsyncIterator
from datetime import timedelta

from dishka import (
    Provider,
    Scope,
    WithParents,
    from_context,
    provide,
    provide_all,
)
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from application.audit import AuditLog
from application.auth.ports import MailAllowance, SessionGate, SessionReader, SignupGrants
from application.credits.ports import CreditAccounts
from application.images.acceptances import Acceptances
from application.images.ports import (
    ImageReader,
    Leases,
    RenderReader,
)
from application.payments.ports import (
    PaymentEvents,
    PaymentRepository,
    PurchasesDue,
    TransactionReader,
    TransactionRepository,
)
from application.payments.records import PurchaseRecords
from application.ports import Alerts, UnitOfWork
from application.queue.ports import BacklogReader
from bootstrap.settings import Settings
from domain.views import RenderPolicy
from infrastructure.database.acceptances import SqlAcceptances
from infrastructure.database.audit import SqlAuditLog
from infrastructure.database.audit_records import SqlAuditRecords
from infrastructure.database.backlog import SqlBacklog
from infrastructure.database.credits import SqlCreditAccounts
from infrastructure.database.engine import ReadPool, create_engine, create_sessions, open_read_pool, open_session
from infrastructure.database.erasure import SqlPersonalRecords
from infrastructure.database.estimates import SqlEstimates
from infrastructure.database.expected_files import SqlExpectedFiles, SqlUnneededFiles
from infrastructure.database.figures import SqlFigures
from infrastructure.database.holds import SqlHolds
from infrastructure.database.housekeeping import SqlExpiredRecords
from infrastructure.database.idempotency import SqlIdempotencyKeys
from infrastructure.database.identities import SqlIdentities
from infrastructure.database.image_readers import SqlImageReader, SqlRenderReader
from infrastructure.database.image_records import SqlImageRecords
from infrastructure.database.leases import RenewedLeases
from infrastructure.database.mailboxes import SqlMailAllowance, SqlSignupGrants
from infrastructure.database.materials import SqlTryOnMaterials
from infrastructure.database.outbox import OutboxQueue, SqlOutbox
from infrastructure.database.picture_readers import SqlTryOnReader, SqlUploadReader
from infrastructure.database.progress_log import ProgressLog
from infrastructure.database.progress_reader import SqlProgressReader
from infrastructure.database.purchase_readers import SqlPurchaseRecords, SqlTransactionReader
from infrastructure.database.purchases import SqlPaymentEvents, SqlPayments, SqlPurchasesDue, SqlTransactions
from infrastructure.database.readers import SqlLedgerAuditor, SqlLedgerReader, SqlProfileReader, SqlStyleReader
from infrastructure.database.repositories import (
    SqlPasswordResets,
    SqlRegistrations,
    SqlSessions,
    SqlStyles,
    SqlUploads,
    SqlUsers,
)
from infrastructure.database.revoked_tokens import SqlRevokedTokens
from infrastructure.database.session_gate import BatchingSessionGate
from infrastructure.database.session_reader import SqlSessionReader
from infrastructure.database.style_records import SqlStyleRecords
from infrastructure.database.tally import Tally
from infrastructure.database.transaction import SessionTransaction, Transaction, WritePool, open_write_pool
from infrastructure.database.try_ons import SqlTryOns
from infrastructure.database.unit_of_work import SqlUnitOfWork
from infrastructure.database.user_records import SqlUserRecords
from infrastructure.database.view_traces import SqlViewTraces
from infrastructure.metrics.database import DatabaseMetrics, time_transactions
from infrastructure.pseudonyms import Pseudonyms

SESSION_CONNECTIONS = 5
WRITE_CONNECTIONS = 7
READ_CONNECTIONS = 8
"""Per process: for what is written through SQLAlchemy, for try-ons, and for readers. A request that finds none free
waits, so that more clients than connections are served in turn."""


class Persistence(Provider):
    """The database. What belongs to one transaction lives as long as one request or job."""

    settings = from_context(Settings, scope=Scope.APP)

    @provide(scope=Scope.APP)
    async def engine(self, settings: Settings, metrics: DatabaseMetrics) -> AsyncIterator[AsyncEngine]:
        engine = create_engine(settings.database_url, connections=SESSION_CONNECTIONS)
        time_transactions(engine, metrics.transaction)
        yield engine
        await engine.dispose()

    @provide(scope=Scope.APP)
    def sessions(self, engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
        return create_sessions(engine)

    @provide(scope=Scope.APP)
    async def read_pool(self, settings: Settings, metrics: DatabaseMetrics) -> AsyncIterator[ReadPool]:
        url = settings.database_url
        async with open_read_pool(url, connections=READ_CONNECTIONS, observe=metrics.read) as pool:
            yield pool

    @provide(scope=Scope.APP)
    async def write_pool(self, settings: Settings, metrics: DatabaseMetrics) -> AsyncIterator[WritePool]:
        async with open_write_pool(
            settings.database_url,
            connections=WRITE_CONNECTIONS,
            statement=metrics.statement,
            transaction=metrics.transaction,
        ) as pool:
            yield pool

    @provide(scope=Scope.REQUEST)
    async def session(self, sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
        async with open_session(sessions) as session:
            yield session

    @provide(scope=Scope.APP)
    def pseudonyms(self, settings: Settings) -> Pseudonyms:
        return Pseudonyms(settings.pseudonym_key)

    @provide(scope=Scope.REQUEST)
    def signup_grants(
        self, session: AsyncSession, pseudonyms: Pseudonyms, alerts: Alerts, settings: Settings
    ) -> SignupGrants:
        return SqlSignupGrants(session, pseudonyms, alerts, daily_cap=settings.free_credits_daily_cap)

    @provide(scope=Scope.APP)
    def estimates(self, pool: ReadPool, settings: Settings) -> WithParents[SqlEstimates]:
        return SqlEstimates(pool, model=settings.replicate_model)

    @provide(scope=Scope.APP)
    def backlog(self, pool: ReadPool, settings: Settings) -> BacklogReader:
        return SqlBacklog(pool, model=settings.replicate_model)

    @provide(scope=Scope.APP)
    async def session_gate(self, settings: Settings, metrics: DatabaseMetrics) -> AsyncIterator[SessionGate]:
        # A connection of its own is enough: it asks one question at a time.
        url, observe = settings.database_url, metrics.session_check
        async with open_read_pool(url, connections=1, by_key=True, observe=observe) as pool:
            yield BatchingSessionGate(pool, timedelta(days=settings.refresh_token_days))

    @provide(scope=Scope.APP)
    def session_reader(self, pool: ReadPool, settings: Settings) -> SessionReader:
        return SqlSessionReader(pool, timedelta(days=settings.refresh_token_days))

    transaction = provide(SessionTransaction, scope=Scope.REQUEST, provides=Transaction)
    unit_of_work = provide(SqlUnitOfWork, scope=Scope.REQUEST, provides=UnitOfWork)
    in_the_transaction = provide_all(
        WithParents[SqlOutbox], WithParents[SqlTryOns], WithParents[SqlHolds], ProgressLog, Tally, scope=Scope.REQUEST
    )
    credit_accounts = provide(SqlCreditAccounts, scope=Scope.REQUEST, provides=CreditAccounts)
    audit_log = provide(SqlAuditLog, scope=Scope.REQUEST, provides=AuditLog)
    mail_allowance = provide(SqlMailAllowance, scope=Scope.REQUEST, provides=MailAllowance)
    repositories = provide_all(
        WithParents[SqlUsers],
        WithParents[SqlRegistrations],
        WithParents[SqlSessions],
        WithParents[SqlPasswordResets],
        WithParents[SqlPersonalRecords],
        WithParents[SqlExpiredRecords],
        WithParents[SqlStyles],
        WithParents[SqlUploads],
        WithParents[SqlExpectedFiles],
        WithParents[SqlUnneededFiles],
        WithParents[SqlRevokedTokens],
        WithParents[SqlIdentities],
        WithParents[SqlIdempotencyKeys],
        scope=Scope.REQUEST,
    )
    transactions = provide(SqlTransactions, scope=Scope.REQUEST, provides=TransactionRepository)
    payments = provide(SqlPayments, scope=Scope.REQUEST, provides=PaymentRepository)
    payment_events = provide(SqlPaymentEvents, scope=Scope.REQUEST, provides=PaymentEvents)
    purchases_due = provide(SqlPurchasesDue, scope=Scope.APP, provides=PurchasesDue)
    purchase_reader = provide(SqlTransactionReader, scope=Scope.APP, provides=TransactionReader)
    purchase_records = provide(SqlPurchaseRecords, scope=Scope.APP, provides=PurchaseRecords)
    image_reader = provide(SqlImageReader, scope=Scope.APP, provides=ImageReader)
    render_reader = provide(SqlRenderReader, scope=Scope.APP, provides=RenderReader)
    readers = provide_all(
        WithParents[SqlStyleReader],
        WithParents[SqlProfileReader],
        WithParents[SqlLedgerReader],
        WithParents[SqlLedgerAuditor],
        WithParents[SqlUploadReader],
        WithParents[SqlTryOnReader],
        WithParents[SqlProgressReader],
        WithParents[SqlUserRecords],
        WithParents[SqlStyleRecords],
        WithParents[SqlImageRecords],
        WithParents[SqlAuditRecords],
        WithParents[SqlFigures],
        WithParents[SqlTryOnMaterials],
        scope=Scope.APP,
    )
    view_traces = provide(SqlViewTraces, scope=Scope.APP)
    acceptances = provide(SqlAcceptances, scope=Scope.APP, provides=Acceptances)

    # These two wait for no row. On connections of their own they wait for nobody who does, either.
    @provide(scope=Scope.APP)
    async def outbox_queue(self, settings: Settings) -> AsyncIterator[OutboxQueue]:
        async with open_write_pool(settings.database_url, connections=1) as pool:
            yield OutboxQueue(pool)

    @provide(scope=Scope.APP)
    async def leases(self, settings: Settings, policy: RenderPolicy) -> AsyncIterator[Leases]:
        async with open_write_pool(settings.database_url, connections=1) as pool:
            yield RenewedLeases(pool, policy)
