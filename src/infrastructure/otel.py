"""Traces by OpenTelemetry, sent over OTLP. Imported only where they go somewhere."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from infrastructure.spans import Kind, Spans, Value

_KINDS = {
    "server": SpanKind.SERVER,
    "consumer": SpanKind.CONSUMER,
    "client": SpanKind.CLIENT,
    "internal": SpanKind.INTERNAL,
}
_SEND_SECONDS = 5
_PARENT = "traceparent"
_TRACE_CONTEXT = TraceContextTextMapPropagator()


class Collector(Struct, frozen=True):
    """Somebody who takes traces, at `/v1/traces` below this address."""

    address: str
    headers: Mapping[str, str] = {}


def logfire(token: str) -> Collector:
    """By the region that a token names: https://logfire.pydantic.dev/docs/how-to-guides/alternative-clients/."""
    region = "eu" if "_eu_" in token else "us"
    return Collector(f"https://logfire-{region}.pydantic.dev", {"Authorization": token})


class OtelSpans(Spans):
    """A provider of its own, not the library's global one, which samples as `OTEL_TRACES_SAMPLER` says.

    What an error says may name people and addresses: of errors, only the kind is told.
    """

    is_on = True

    def __init__(self, collectors: Sequence[Collector], *, service: str, instance: str) -> None:
        resource = Resource.create({"service.name": service, "service.instance.id": instance})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        for collector in collectors:
            exporter = OTLPSpanExporter(
                endpoint=f"{collector.address.rstrip('/')}/v1/traces",
                headers=dict(collector.headers),
                timeout=_SEND_SECONDS,
            )
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("hairtryon")

    @contextmanager
    def begin(self, name: str, kind: Kind = "internal", *, parent: str | None = None, **about: Value) -> Iterator[None]:
        present = trace.get_current_span().get_span_context()
        if kind == "client" and not present.is_valid:
            yield
            return
        with self._tracer.start_as_current_span(
            name,
            context=_context_of(parent) if parent else None,
            kind=_KINDS[kind],
            attributes=_attributes(about),
            links=[Link(present)] if parent and present.is_valid else None,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def note(self, *, name: str | None = None, **about: Value) -> None:
        span = trace.get_current_span()
        if name is not None:
            span.update_name(name)
        span.set_attributes(_attributes(about))

    def here(self) -> str | None:
        carrier: dict[str, str] = {}
        _TRACE_CONTEXT.inject(carrier)
        return carrier.get(_PARENT)

    def close(self) -> None:
        self._provider.shutdown()


def _context_of(parent: str) -> Context:
    """Of what is no `traceparent`, an empty one: the span is a trace's first."""
    return _TRACE_CONTEXT.extract({_PARENT: parent}, context=Context())


def _attributes(about: Mapping[str, Value]) -> dict[str, Value]:
    return {f"hairtryon.{name}": value for name, value in about.items()}
