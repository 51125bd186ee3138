"""The world outside the database, and what needs no world at all."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from dishka import (
    Provider,
    Scope,
    WithParents,
    provide,
)

from application.auth.ports import IdentityProvider, Links, LoginThrottle, Passwords, Tokens
from application.images.ports import ImageModel, OutputDownloads, PictureProcessor
from application.mail import Mailer, MailTemplates
from application.payments.ports import PaymentProvider, PaymentWebhook
from application.ports import Alerts, Clock
from application.styles.ports import Catalogue
from application.users.ports import ProfilePictureDownloads
from application.webhooks import WebhookVerifier
from bootstrap.settings import Settings
from infrastructure.alerts import LoggedAlerts
from infrastructure.brevo import BrevoMailer
from infrastructure.catalogue import TomlCatalogue
from infrastructure.clock import SystemClock
from infrastructure.database.progress_log import ProgressBell
from infrastructure.dodo import DodoPayments, DodoWebhook
from infrastructure.downloads import GuardedDownloads
from infrastructure.google import GoogleIdentityProvider
from infrastructure.images import VipsPictureProcessor
from infrastructure.job_queue import ArqDoorbell
from infrastructure.links import ConfiguredLinks
from infrastructure.mail_templates import JinjaMailTemplates
from infrastructure.passwords import Argon2Passwords
from infrastructure.progress_bell import RedisProgressBell
from infrastructure.progress_hub import ProgressHub
from infrastructure.replicate import ReplicateModel
from infrastructure.small_documents import SmallDocuments
from infrastructure.throttle import RedisThrottle
from infrastructure.tokens import JwtTokens
from infrastructure.webhook_signatures import StandardWebhookVerifier

GOOGLE_PICTURE_HOSTS = ("googleusercontent.com",)
"""With their subdomains: where the `picture` of Google's ID tokens is."""
LARGEST_PROFILE_PICTURE = 10 * 1024 * 1024
"""Bytes."""


class Gateways(Provider):
    """The world outside the database, and what needs no world at all."""

    scope = Scope.APP

    clock = provide(SystemClock, provides=Clock)
    alerts = provide(LoggedAlerts, provides=Alerts)
    catalogue = provide(TomlCatalogue, provides=Catalogue)
    templates = provide(JinjaMailTemplates, provides=MailTemplates)

    @provide
    def pictures(self) -> PictureProcessor:
        return VipsPictureProcessor()

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
    async def profile_picture_downloads(self, settings: Settings) -> AsyncIterator[ProfilePictureDownloads]:
        played = settings.played_google_host
        downloads = GuardedDownloads(
            hosts=GOOGLE_PICTURE_HOSTS, plain_http=[played] if played else [], max_bytes=LARGEST_PROFILE_PICTURE
        )
        yield downloads
        await downloads.aclose()

    @provide
    async def identity_provider(self, settings: Settings) -> AsyncIterator[IdentityProvider]:
        provider = GoogleIdentityProvider(
            issuer=settings.google_issuer,
            client_id=settings.google_client_id,
            client_secret=settings.google_client_secret,
            redirect_uri=f"{settings.public_url}/api/v1/auth/google/callback",
            documents=SmallDocuments(),
        )
        yield provider
        await provider.aclose()

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
    async def payment_provider(self, settings: Settings) -> AsyncIterator[PaymentProvider]:
        site = settings.frontend_url or settings.public_url
        provider = DodoPayments(
            base_url=settings.dodo_payments_base_url,
            api_key=settings.dodo_payments_api_key,
            return_url=f"{site}/payment/return",
            cancel_url=f"{site}/payment/cancel",
        )
        yield provider
        await provider.aclose()

    @provide
    def payment_webhook(self, settings: Settings) -> PaymentWebhook:
        return DodoWebhook(StandardWebhookVerifier(settings.dodo_payments_webhook_secret))

    @provide
    async def doorbell(self, settings: Settings) -> AsyncIterator[WithParents[ArqDoorbell]]:
        doorbell = ArqDoorbell(settings.redis_url)
        yield doorbell
        await doorbell.aclose()

    @provide
    async def progress_bell(self, settings: Settings) -> AsyncIterator[ProgressBell]:
        bell = RedisProgressBell(settings.redis_url)
        yield bell
        await bell.aclose()

    @provide
    async def progress_hub(self, settings: Settings) -> AsyncIterator[WithParents[ProgressHub]]:
        hub = ProgressHub(settings.redis_url)
        yield hub
        await hub.aclose()

    @provide
    async def throttle(self, settings: Settings) -> AsyncIterator[LoginThrottle]:
        throttle = RedisThrottle(settings.redis_url, key=settings.pseudonym_key)
        yield throttle
        await throttle.aclose()

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
