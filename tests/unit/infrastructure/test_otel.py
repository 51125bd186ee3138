"""Where traces go, by what the settings say."""

from bootstrap.container.observation import open_spans
from infrastructure.metrics.exchange import process_name
from infrastructure.otel import OtelSpans, logfire
from infrastructure.spans import NoSpans
from tests.unit.bootstrap.environments import load


def test_logfire_is_reached_where_the_token_is_from() -> None:
    """Its region is in the token; the token goes into the header, and nowhere else."""
    american, european = logfire("pylf_v1_us_made_up"), logfire("pylf_v1_eu_made_up")
    assert american.address == "https://logfire-us.pydantic.dev"
    assert european.address == "https://logfire-eu.pydantic.dev"
    assert european.headers == {"Authorization": "pylf_v1_eu_made_up"}


def test_nothing_is_traced_that_was_not_asked_for() -> None:
    """Without an address nobody is, and operators' commands never are."""
    nowhere = load()
    somewhere = load(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert isinstance(open_spans(nowhere, process_name("api")), NoSpans)
    assert isinstance(open_spans(somewhere, process_name("command")), NoSpans)
    spans = open_spans(somewhere, process_name("worker"))
    assert isinstance(spans, OtelSpans)
    spans.close()


def test_what_is_no_traceparent_begins_a_trace_of_its_own() -> None:
    """A row that somebody has spoilt costs its place in a trace, and nothing else."""
    spans = OtelSpans([], service="test", instance="test")
    for parent in ("", "nonsense", "00-0-0-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"):
        with spans.begin("job", "consumer", parent=parent):
            here = spans.here()
            assert here is not None
            assert here.startswith("00-")
    spans.close()
