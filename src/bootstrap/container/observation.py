"""What is counted and traced, and the ports that lead outside, each with somebody who counts in front of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from dishka import Provider, Scope, decorate, from_context, provide, provide_all
from prometheus_client import CollectorRegistry

from application.auth.ports import IdentityProvider, LoginThrottle
from application.images.ports import ImageModel, OutputDownloads, PictureStorage
from application.mail import Mailer
from application.payments.ports import PaymentProvider
from application.ports import Alerts
from application.queue.ports import BacklogReader
from application.users.ports import ProfilePictureDownloads
from bootstrap.settings import Settings
from infrastructure.database.engine import ReadPool
from infrastructure.metrics.calls import CallMetrics
from infrastructure.metrics.database import DatabaseMetrics
from infrastructure.metrics.exchange import COMMAND, MetricsExchange, ProcessName, role_of
from infrastructure.metrics.gateways import (
    MeasuredDownloads,
    MeasuredIdentities,
    MeasuredMailer,
    MeasuredModel,
    MeasuredPayments,
    MeasuredStorage,
)
from infrastructure.metrics.process import ProcessMetrics
from infrastructure.metrics.standing import Standing
from infrastructure.metrics.throttle import CountedThrottle, SignInMetrics
from infrastructure.metrics.work import WorkMetrics
from infrastructure.origins import Origins
from infrastructure.spans import NoSpans, Spans
from presentation.worker.metrics import JobMetrics


@dataclass(frozen=True, slots=True)
class Counters:
    """Those whose series are there from the start, whatever is asked for first."""

    work: WorkMetrics
    alerts: Alerts
    sign_ins: SignInMetrics


class Metrics(Provider):
    """One registry for a process, and all that counts in it."""

    scope = Scope.APP

    name = from_context(ProcessName)
    all_that_counts = provide_all(
        CallMetrics, DatabaseMetrics, JobMetrics, ProcessMetrics, SignInMetrics, WorkMetrics, Counters, Origins
    )

    @provide
    def registry(self) -> CollectorRegistry:
        return CollectorRegistry()

    @provide
    async def spans(self, settings: Settings, name: ProcessName) -> AsyncIterator[Spans]:
        spans = open_spans(settings, name)
        yield spans
        await asyncio.to_thread(spans.close)

    @provide
    def standing(self, backlogs: BacklogReader, pool: ReadPool) -> Standing:
        return Standing(backlogs, pool)

    @provide
    async def exchange(
        self, settings: Settings, registry: CollectorRegistry, name: ProcessName, process: ProcessMetrics, _: Counters
    ) -> AsyncIterator[MetricsExchange]:
        """Whoever asks for it takes part: from then on this process tells the others what it counts."""
        exchange = MetricsExchange(settings.redis_url, registry, name)
        tasks = [asyncio.create_task(work) for work in (exchange.publish_for_ever(), process.watch_loop())]
        yield exchange
        exchange.end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await exchange.aclose()


def open_spans(settings: Settings, name: ProcessName) -> Spans:
    """Where traces go, if they go anywhere. Operators' commands make none."""
    role = role_of(name)
    addresses = (settings.otel_exporter_otlp_endpoint, settings.logfire_token)
    if role == COMMAND or not any(addresses):
        return NoSpans()
    # What nobody uses, nobody should wait for.
    from infrastructure.otel import Collector, OtelSpans, logfire  # noqa: PLC0415

    collectors = [Collector(settings.otel_exporter_otlp_endpoint)] if settings.otel_exporter_otlp_endpoint else []
    if settings.logfire_token:
        collectors.append(logfire(settings.logfire_token))
    return OtelSpans(collectors, service=f"hairtryon-{role}", instance=name)


class Outgoing(Provider):
    """To be given last: it stands before whatever adapters there are, those of tests too."""

    scope = Scope.APP

    @decorate
    def model(self, model: ImageModel, metrics: CallMetrics) -> ImageModel:
        return MeasuredModel(model, metrics)

    @decorate
    def downloads(self, downloads: OutputDownloads, metrics: CallMetrics) -> OutputDownloads:
        return MeasuredDownloads(downloads, metrics, provider="replicate")

    @decorate
    def profile_pictures(self, downloads: ProfilePictureDownloads, metrics: CallMetrics) -> ProfilePictureDownloads:
        return MeasuredDownloads(downloads, metrics, provider="google")

    @decorate
    def payments(self, provider: PaymentProvider, metrics: CallMetrics) -> PaymentProvider:
        return MeasuredPayments(provider, metrics)

    @decorate
    def mailer(self, mailer: Mailer, metrics: CallMetrics) -> Mailer:
        return MeasuredMailer(mailer, metrics)

    @decorate
    def identities(self, provider: IdentityProvider, metrics: CallMetrics) -> IdentityProvider:
        return MeasuredIdentities(provider, metrics)

    @decorate
    def storage(self, storage: PictureStorage, metrics: CallMetrics) -> PictureStorage:
        return MeasuredStorage(storage, metrics)

    @decorate
    def throttle(self, throttle: LoginThrottle, metrics: SignInMetrics) -> LoginThrottle:
        return CountedThrottle(throttle, metrics)
