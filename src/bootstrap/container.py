"""Who gets what. Three providers, so that a test replaces one."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from dishka import (
    AsyncContainer,
    Provider,
    Scope,
    WithParents,
    from_context,
    make_async_container,
    provide,
    provide_all,
)
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from application.auth.log_in import LogInHandler
from application.auth.log_out import LogOutHandler
from application.auth.ports import Links, MailAllowance, Passwords, SessionGate, SignupGrants, Tokens
from application.auth.refresh_session import RefreshSessionHandler
from application.auth.register import RegisterHandler
from application.auth.resend_verification import ResendVerificationHandler
from application.auth.send_account_mail import SendAccountExistsMailHandler, SendVerificationMailHandler
from application.auth.sign_in import AccessSeconds, SignIn
from application.auth.verify_email import FreeCredits, VerifyEmailHandler
from application.credits.audit_ledger import AuditLedgerHandler
from application.credits.get_balance import GetBalanceHandler
from application.credits.grant_credits import GrantCreditsHandler
from application.credits.list_history import ListHistoryHandler
from application.credits.ports import CreditAccounts
from application.images.cancel_prediction import CancelPredictionHandler
from application.images.finish_view import FinishViewHandler
from application.images.generate_image import GenerateImageHandler
from application.images.get_status import GetStatusHandler
from application.images.list_images import ListImagesHandler
from application.images.poll_prediction import PollPredictionHandler
from application.images.ports import (
    ImageModel,
    ImageReader,
    ImageRepository,
    Leases,
    OutputDownloads,
    PictureProcessor,
    PictureStorage,
    RenderReader,
)
from application.images.provider_webhook import ProviderWebhook
from application.images.record_prediction import RecordPredictionHandler
from application.images.settlement import Settlement
from application.images.submit_view import SubmitViewHandler
from application.images.sweep_view import SweepViewHandler
from application.images.upload_photo import UploadPhotoHandler
from application.mail import Mailer, MailTemplates
from application.ports import Clock, UnitOfWork
from application.styles.import_styles import ImportStylesHandler
from application.styles.list_styles import ListStylesHandler
from application.styles.ports import Catalogue
from application.users.get_profile import GetProfileHandler
from application.webhooks import WebhookVerifier
from bootstrap.settings import Settings
from domain.views import RenderPolicy
from infrastructure.brevo import BrevoMailer
from infrastructure.catalogue import TomlCatalogue
from infrastructure.clock import SystemClock
from infrastructure.database.accounts import SqlIdempotencyKeys, SqlMailAllowance, SqlRevokedTokens, SqlSignupGrants
from infrastructure.database.credits import SqlCreditAccounts
from infrastructure.database.engine import ReadPool, create_engine, create_sessions, open_read_pool
from infrastructure.database.image_readers import SqlImageReader, SqlRenderReader
from infrastructure.database.leases import RenewedLeases
from infrastructure.database.outbox import OutboxRelay, SqlOutbox
from infrastructure.database.readers import SqlLedgerAuditor, SqlLedgerReader, SqlProfileReader, SqlStyleReader
from infrastructure.database.repositories import (
    SqlImages,
    SqlRegistrations,
    SqlSessions,
    SqlStyles,
    SqlUploads,
    SqlUsers,
)
from infrastructure.database.session_gate import BatchingSessionGate
from infrastructure.database.unit_of_work import SqlUnitOfWork
from infrastructure.downloads import GuardedDownloads
from infrastructure.images import VipsPictureProcessor
from infrastructure.job_queue import ArqDoorbell
from infrastructure.links import ConfiguredLinks
from infrastructure.mail_templates import JinjaMailTemplates
from infrastructure.passwords import Argon2Passwords
from infrastructure.replicate import ReplicateModel
from infrastructure.storage.disk import DiskStorage
from infrastructure.tokens import JwtTokens
from infrastructure.webhook_signatures import StandardWebhookVerifier

WRITE_CONNECTIONS = 10
READ_CONNECTIONS = 10
"""Per process. A request that finds none free waits, so that more clients than connections are served in turn."""


class Persistence(Provider):
    """The database. What belongs to one transaction lives as long as one request or job."""

    settings = from_context(Settings, scope=Scope.APP)

    @provide(scope=Scope.APP)
    async def engine(self, settings: Settings) -> AsyncIterator[AsyncEngine]:
        engine = create_engine(settings.database_url, connections=WRITE_CONNECTIONS)
        yield engine
        await engine.dispose()

    @provide(scope=Scope.APP)
    def sessions(self, engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
        return create_sessions(engine)

    @provide(scope=Scope.APP)
    async def read_pool(self, settings: Settings) -> AsyncIterator[ReadPool]:
        async with open_read_pool(settings.database_url, connections=READ_CONNECTIONS) as pool:
            yield pool

    @provide(scope=Scope.REQUEST)
    async def session(self, sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    @provide(scope=Scope.REQUEST)
    def signup_grants(self, session: AsyncSession, settings: Settings) -> SignupGrants:
        return SqlSignupGrants(session, pseudonym_key=settings.pseudonym_key, daily_cap=settings.free_credits_daily_cap)

    outbox = provide(SqlOutbox, scope=Scope.REQUEST, provides=WithParents[SqlOutbox])
    unit_of_work = provide(SqlUnitOfWork, scope=Scope.REQUEST, provides=UnitOfWork)
    credit_accounts = provide(SqlCreditAccounts, scope=Scope.REQUEST, provides=CreditAccounts)
    mail_allowance = provide(SqlMailAllowance, scope=Scope.REQUEST, provides=MailAllowance)
    repositories = provide_all(
        WithParents[SqlUsers],
        WithParents[SqlRegistrations],
        WithParents[SqlSessions],
        WithParents[SqlStyles],
        WithParents[SqlUploads],
        WithParents[SqlRevokedTokens],
        WithParents[SqlIdempotencyKeys],
        scope=Scope.REQUEST,
    )
    images = provide(SqlImages, scope=Scope.REQUEST, provides=ImageRepository)
    image_reader = provide(SqlImageReader, scope=Scope.APP, provides=ImageReader)
    render_reader = provide(SqlRenderReader, scope=Scope.APP, provides=RenderReader)
    readers = provide_all(
        WithParents[SqlStyleReader],
        WithParents[SqlProfileReader],
        WithParents[SqlLedgerReader],
        WithParents[SqlLedgerAuditor],
        scope=Scope.APP,
    )
    session_gate = provide(BatchingSessionGate, scope=Scope.APP, provides=SessionGate)
    relay = provide(OutboxRelay, scope=Scope.APP)
    leases = provide(RenewedLeases, scope=Scope.APP, provides=Leases)


class Gateways(Provider):
    """The world outside the database, and what needs no world at all."""

    scope = Scope.APP

    clock = provide(SystemClock, provides=Clock)
    catalogue = provide(TomlCatalogue, provides=Catalogue)
    templates = provide(JinjaMailTemplates, provides=MailTemplates)

    @provide
    def pictures(self) -> PictureProcessor:
        return VipsPictureProcessor()

    @provide
    async def storage(self, settings: Settings) -> AsyncIterator[PictureStorage]:
        if settings.storage == "disk":
            secrets = [key for key in (settings.secret_key, settings.secret_key_previous) if key]
            yield DiskStorage(settings.media_folder, public_url=settings.public_url, secrets=secrets)
            return
        # Its libraries take a second to import, which only those who use them should wait for.
        from infrastructure.storage.s3 import S3Storage  # noqa: PLC0415

        async with S3Storage(
            bucket=settings.bucket_name,
            region=settings.aws_region,
            endpoint_url=settings.s3_endpoint_url or None,
            access_key_id=settings.aws_access_key_id or None,
            secret_access_key=settings.aws_secret_access_key or None,
            cdn_domain=settings.cdn_domain or None,
        ) as storage:
            yield storage

    @provide
    async def model(self, settings: Settings) -> AsyncIterator[ImageModel]:
        model = ReplicateModel(
            model=settings.replicate_model,
            base_url=settings.replicate_base_url,
            token=settings.replicate_api_token or None,
        )
        yield model
        await model.aclose()

    @provide
    async def downloads(self, settings: Settings) -> AsyncIterator[OutputDownloads]:
        hosts = [host.strip() for host in settings.replicate_output_hosts.split(",")]
        played = settings.played_output_host
        downloads = GuardedDownloads(hosts=hosts, plain_http=[played] if played else [])
        yield downloads
        await downloads.aclose()

    @provide
    async def mailer(self, settings: Settings) -> AsyncIterator[Mailer]:
        mailer = BrevoMailer(
            base_url=settings.brevo_base_url,
            api_key=settings.brevo_api_key,
            sender=settings.mail_from,
            sender_name=settings.mail_from_name,
        )
        yield mailer
        await mailer.aclose()

    @provide
    async def doorbell(self, settings: Settings) -> AsyncIterator[WithParents[ArqDoorbell]]:
        doorbell = ArqDoorbell(settings.redis_url)
        yield doorbell
        await doorbell.aclose()

    @provide
    def passwords(self) -> Iterator[Passwords]:
        passwords = Argon2Passwords()
        yield passwords
        passwords.close()

    @provide
    def tokens(self, settings: Settings) -> Tokens:
        return JwtTokens(
            settings.secret_key,
            settings.secret_key_previous,
            access_life=timedelta(minutes=settings.access_token_minutes),
            refresh_life=timedelta(days=settings.refresh_token_days),
        )

    @provide
    def links(self, settings: Settings) -> Links:
        return ConfiguredLinks(public_url=settings.public_url, frontend_url=settings.frontend_url)

    @provide
    def provider_signatures(self, settings: Settings) -> WebhookVerifier:
        return StandardWebhookVerifier(settings.replicate_webhook_secret)


class Handlers(Provider):
    """Every use case, and what the settings decide for them."""

    scope = Scope.REQUEST

    @provide(scope=Scope.APP)
    def render_policy(self, settings: Settings) -> RenderPolicy:
        return RenderPolicy(
            attempts=settings.generation_max_attempts,
            timeout=timedelta(seconds=settings.generation_timeout_seconds),
            deadline=timedelta(seconds=settings.generation_deadline_seconds),
            lease=timedelta(seconds=settings.generation_lease_seconds),
            poll=timedelta(seconds=settings.poll_seconds),
        )

    @provide(scope=Scope.APP)
    def provider_webhook(self, settings: Settings) -> ProviderWebhook:
        keys = (settings.secret_key, settings.secret_key_previous)
        return ProviderWebhook(settings.webhook_url, tuple(key for key in keys if key))

    @provide(scope=Scope.APP)
    def free_credits(self, settings: Settings) -> FreeCredits:
        return FreeCredits(settings.free_user_credits)

    @provide(scope=Scope.APP)
    def access_seconds(self, settings: Settings) -> AccessSeconds:
        return AccessSeconds(int(settings.access_token_minutes * 60))

    queries = provide_all(
        GetProfileHandler,
        GetBalanceHandler,
        ListHistoryHandler,
        AuditLedgerHandler,
        ListStylesHandler,
        GetStatusHandler,
        ListImagesHandler,
        scope=Scope.APP,  # they read, each time anew: one of each serves all requests
    )
    handlers = provide_all(
        RegisterHandler,
        ResendVerificationHandler,
        LogInHandler,
        RefreshSessionHandler,
        LogOutHandler,
        SendVerificationMailHandler,
        SendAccountExistsMailHandler,
        GrantCreditsHandler,
        ImportStylesHandler,
        UploadPhotoHandler,
        GenerateImageHandler,
        RecordPredictionHandler,
        PollPredictionHandler,
        FinishViewHandler,
        SweepViewHandler,
        SubmitViewHandler,
        VerifyEmailHandler,
        SignIn,
        CancelPredictionHandler,
        Settlement,
    )


def create_container(settings: Settings, *overrides: Provider) -> AsyncContainer:
    """Tie everything together. A dependency that nobody provides fails here, not at the first request."""
    return make_async_container(Persistence(), Gateways(), Handlers(), *overrides, context={Settings: settings})
