"""One trace of a generation, from the request to the stored picture, whoever does what and when."""

import secrets
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from application.images.ports import ModelUnavailable
from infrastructure.spans import Spans
from tests.collector import Collector, attributes, collecting
from tests.fakes import OUTPUT
from tests.integration.http.conftest import Start
from tests.integration.http.stories import Customer, Service
from tests.selling import signed

REQUEST = "POST /api/v1/image/generate"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
async def traced(start: Start, collector: Collector) -> Service:
    return await start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)


async def sent(service: Service) -> None:
    """Everything that is not sent yet."""
    (await service.container.get(Spans)).close()


async def generated(customer: Customer, **headers: str) -> int:
    body = await customer.order()
    response = await customer.api.post("/image/generate", json=body, headers=headers)
    assert response.status_code == 202
    return int(response.json()["image_id"])


async def told(service: Service, *, output: str = OUTPUT) -> None:
    """The provider tells of the one prediction that it was asked for, in a request of its own."""
    (create,) = service.model.orders
    assert create.webhook
    body = msgspec.json.encode({"id": "prediction1", "status": "succeeded", "output": [output]})
    _, headers = signed(service.settings.replicate_webhook_secret, "msg_1", body)
    assert (await service.browser().post(create.webhook, content=body, headers=headers)).status_code == 204


async def test_a_generation_is_one_trace_from_the_request_to_the_stored_picture(
    traced: Service, collector: Collector
) -> None:
    """Request, job, call, the provider's news, job, download and storage: each inside of what it came from."""
    customer = await traced.customer()
    image = await generated(customer)
    await traced.worker.drain()
    await told(traced)
    await traced.worker.drain()
    assert (await customer.status(image))["status"] == "COMPLETED"
    await sent(traced)
    assert collector.paths == {"/v1/traces"}
    assert set(collector.services.values()) == {"hairtryon-api"}
    assert collector.chain("replicate create") == [REQUEST, "submit_view", "replicate create"]
    finished = [REQUEST, "submit_view", "record_prediction", "finish_view"]
    assert collector.chain("replicate download") == [*finished, "replicate download"]
    put = [span for span in collector.spans if span.name == "storage put"]
    assert {span.parent_span_id for span in put} == {
        collector.named("POST /api/v1/image/upload").span_id,
        collector.named("finish_view").span_id,
    }
    trace = collector.named(REQUEST).trace_id
    assert {span.name for span in collector.spans if span.trace_id == trace} == {
        *finished,
        "replicate create",
        "replicate download",
        "storage put",
    }
    webhook = collector.named("POST /api/v1/image/webhook")
    assert webhook.trace_id != trace
    assert [link.span_id for link in collector.named("record_prediction").links] == [webhook.span_id]


async def test_what_the_poller_finds_goes_on_where_the_trace_was_left(traced: Service, collector: Collector) -> None:
    """No webhook came: the look itself is no span, and the picture is stored within the trace all the same."""
    customer = await traced.customer()
    await generated(customer)
    await traced.work()
    await sent(traced)
    assert collector.chain("finish_view") == [REQUEST, "submit_view", "finish_view"]
    assert [span.name for span in collector.spans if span.name == "replicate get"] == []


async def test_side_views_belong_to_the_trace_of_their_front(traced: Service, collector: Collector) -> None:
    customer = await traced.customer()
    await customer.generate(["front", "back"])
    await traced.work()
    await sent(traced)
    trace = collector.named(REQUEST).trace_id
    jobs = [span for span in collector.spans if span.name in {"submit_view", "finish_view"}]
    assert {span.trace_id for span in jobs} == {trace}
    assert sorted((span.name, attributes(span)["view"]) for span in jobs) == [
        ("finish_view", "back"),
        ("finish_view", "front"),
        ("submit_view", "back"),
        ("submit_view", "front"),
    ]


async def test_spans_tell_ids_and_words_and_nothing_of_anybody(traced: Service, collector: Collector) -> None:
    """Try-on, view, attempt, status; no address, prompt, name, photo, signature or token anywhere in what is sent."""
    customer = await traced.customer(name="Ada Lovelace")
    image = await generated(customer, **{"X-Request-ID": "a-request-of-ada"})
    await traced.worker.drain()
    await told(traced, output=f"{OUTPUT}?signature=topsecret")
    await traced.worker.drain()
    await sent(traced)
    job = attributes(collector.named("submit_view"))
    assert job.pop("outbox_id")
    assert job == {"image_id": image, "view": "front", "attempt": 1}
    assert attributes(collector.named(REQUEST)) == {
        "method": "POST",
        "route": "/api/v1/image/generate",
        "status": 202,
        "request_id": "a-request-of-ada",
    }
    token = customer.api.headers["Authorization"].partition(" ")[2]
    (create,) = traced.model.orders
    for told_nowhere in (customer.email, "Ada", token, create.prompt, "topsecret", "https://", "proof="):
        assert told_nowhere.encode() not in collector.text, told_nowhere


async def test_of_an_error_its_kind_is_told(traced: Service, collector: Collector) -> None:
    """What it says may name people and addresses."""
    customer = await traced.customer()
    await generated(customer)
    traced.model.troubles = [ModelUnavailable("The secret host is away.")]
    await traced.worker.drain()
    await sent(traced)
    create = collector.named("replicate create")
    assert (create.status.code, create.status.message) == (2, "ModelUnavailable")
    assert b"secret host" not in collector.text


async def test_what_callers_say_of_traces_is_not_believed(traced: Service, collector: Collector) -> None:
    """Nobody outside can put their requests into a trace of ours, or choose its id."""
    customer = await traced.customer()
    foreign = secrets.token_hex(16)
    await generated(customer, traceparent=f"00-{foreign}-{secrets.token_hex(8)}-01")
    await sent(traced)
    assert collector.named(REQUEST).trace_id.hex() != foreign


async def test_a_collector_that_is_away_holds_nobody_up(start: Start, dead_port: int) -> None:
    """The picture is made, and nothing of it is an error of ours."""
    service = await start(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{dead_port}")
    customer = await service.customer()
    image = await customer.generate()
    await service.work()
    assert (await customer.status(image))["status"] == "COMPLETED"


def test_without_an_address_nothing_of_it_is_imported() -> None:
    """Neither by the API nor by the worker: what nobody uses costs nobody time or memory."""
    program = "import bootstrap.http, bootstrap.worker, sys; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603
