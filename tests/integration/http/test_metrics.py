"""What is counted of the product, whichever process did it, and what Prometheus sees of it."""

import base64
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

import domain
from application.images.ports import ModelRefused
from domain.views import ViewError
from infrastructure.alerts import KINDS
from infrastructure.database.model_gate import UNPAID
from infrastructure.metrics.exchange import MetricsExchange, ProcessName
from presentation.worker.metrics import JobMetrics
from tests.fakes import OUTPUT
from tests.integration.http.conftest import Start
from tests.integration.http.scrape import counted, scrape
from tests.integration.http.shop import deliver, order
from tests.integration.http.stories import Service
from tests.selling import payment_event, signed

DIED = "worker@elsewhere:7"
"""It never says that it ends."""
SOURCE = Path(domain.__file__).parents[1]
LONG_NUMBER = re.compile(r"[0-9]{3,}")


async def test_a_generation_is_counted_once_in_every_place_that_it_passes(service: Service) -> None:
    """Accepted, rendered, stored and paid: these series, and no other of the work."""
    customer = await service.customer(credits=2)
    await customer.generate(["front", "back"])
    await service.work()
    assert await counted(service, "hairtryon_views_accepted_total") == {("back",): 1, ("front",): 1}
    assert await counted(service, "hairtryon_views_ended_total") == {
        ("", "completed", "back"): 1,
        ("", "completed", "front"): 1,
    }
    assert await counted(service, "hairtryon_view_seconds_count") == {("back",): 1, ("front",): 1}
    assert await counted(service, "hairtryon_credits_total") == {("grant",): 2, ("held",): 2, ("spend",): 2}
    assert await counted(service, "hairtryon_provider_calls_total") == {
        ("create", "ok", "replicate"): 2,
        ("download", "ok", "replicate"): 2,
        ("get", "ok", "replicate"): 2,
        ("put", "ok", "storage"): 3,
    }
    assert await counted(service, "hairtryon_jobs_total") == {
        ("submit_view", "done"): 2,
        ("poll_prediction", "done"): 2,
        ("finish_view", "done"): 2,
    }
    assert await counted(service, "hairtryon_model_gate_changes_total") == {}
    assert await counted(service, "hairtryon_operator_alerts_total") == {}
    timed = await counted(service, "hairtryon_database_seconds_count")
    assert set(timed) == {("read",), ("session_check",), ("statement",), ("transaction",)}


async def test_a_failure_is_counted_with_its_cause_and_the_credit_that_came_back(service: Service) -> None:
    """The front with what the provider said, the side view with it; a cancelled one has no cause."""
    customer = await service.customer(credits=3)
    await customer.generate(["front", "back"])
    service.model.plan("failed", error="flagged as sensitive (E005)")
    await service.work()
    image = await customer.generate()
    await customer.api.post(f"/image/{image}/cancel")
    assert await counted(service, "hairtryon_views_ended_total") == {
        (ViewError.PROVIDER_REJECTED, "failed", "front"): 1,
        (ViewError.FRONT_FAILED, "failed", "back"): 1,
        ("", "cancelled", "front"): 1,
    }
    assert await counted(service, "hairtryon_credits_total") == {("grant",): 3, ("held",): 3, ("returned",): 3}
    assert await counted(service, "hairtryon_view_seconds_count") == {}


async def test_a_retry_is_accepted_once_more(service: Service) -> None:
    customer = await service.customer(credits=1)
    image = await customer.generate()
    service.model.plan("failed", error="flagged as sensitive (E005)")
    await service.work()
    await customer.api.post(f"/image/{image}/retry")
    await service.work()
    assert await counted(service, "hairtryon_views_accepted_total") == {("front",): 2}
    assert await counted(service, "hairtryon_views_ended_total") == {
        (ViewError.PROVIDER_REJECTED, "failed", "front"): 1,
        ("", "completed", "front"): 1,
    }


async def test_what_is_refused_moves_nothing(service: Service) -> None:
    """Nothing is held of a customer without credits, and nothing accepted."""
    customer = await service.customer(credits=0)
    assert (await customer.ask(await customer.order())).status_code == 402
    assert await counted(service, "hairtryon_views_accepted_total") == {}
    assert await counted(service, "hairtryon_credits_total") == {}


async def test_how_things_stand_is_read_from_the_database(service: Service) -> None:
    """What waits, what is rendered, and what is past its time, whoever is asked."""
    customer = await service.customer(credits=3)
    await customer.generate()
    await service.worker.drain()
    await customer.generate(["front", "back"])
    await service.pass_time(2000)
    series = await scrape(service)
    standing = {name: value for (name, labels), value in series.items() if not labels}
    assert {name.removeprefix("hairtryon_"): value for name, value in standing.items() if value} == {
        "database_known": 1,
        "processes_known": 1,
        "views_without_prediction": 2,
        "predictions_in_flight": 1,
        "views_overdue": 3,
        "outbox_due": 1,
        "outbox_oldest_seconds": pytest.approx(2000, abs=100),
    }
    assert series["hairtryon_views_open", (("status", "pending"),)] == 2
    assert series["hairtryon_views_open", (("status", "processing"),)] == 1
    assert series["hairtryon_model_gate_closed", (("reason", "provider_unavailable"),)] == 0


async def test_an_unpaid_provider_is_seen(service: Service) -> None:
    """The gate is closed for that reason, operators are alerted once, and the call is counted as unpaid."""
    customer = await service.customer()
    service.model.troubles = [ModelRefused("Please visit our billing page to add credit.", status=402)]
    service.unpaid_creates = 1
    service.expected_alerts = ["provider_credit_exhausted"]
    await customer.generate()
    await service.worker.drain()
    series = await scrape(service)
    assert series["hairtryon_model_gate_closed", (("reason", "provider_credit_exhausted"),)] == 1
    assert series["hairtryon_model_gate_closed", (("reason", "provider_unavailable"),)] == 0
    assert await counted(service, "hairtryon_model_gate_changes_total") == {("unpaid",): 1}
    assert await counted(service, "hairtryon_operator_alerts_total") == {("provider_credit_exhausted",): 1}
    assert (await counted(service, "hairtryon_provider_calls_total"))["create", "unpaid", "replicate"] == 1


async def test_no_label_names_anybody_or_anything_of_theirs(service: Service) -> None:
    """Numbers in labels are bounds, statuses and this process; no address, path or id is among them."""
    customer = await service.customer(credits=2)
    image = await customer.generate(["front", "back"])
    await service.work()
    await customer.status(image)
    await customer.api.delete(f"/image/{image}")
    await customer.api.get("/image/status/987654321")
    labels = {label for _, labels in await scrape(service) for label in labels}
    texts = {text for label, text in labels if label not in {"le", "status", "process"}}
    assert "/api/v1/image/status/{image_id}" in texts
    assert [text for text in texts if "@" in text or LONG_NUMBER.search(text) or customer.email in text] == []


@pytest.fixture
async def neighbour(redis_url: str) -> AsyncIterator[tuple[MetricsExchange, JobMetrics]]:
    """Another process, which has done a job."""
    registry = CollectorRegistry()
    metrics = JobMetrics(registry)
    metrics.record("submit_view", "done", 0.2)
    exchange = MetricsExchange(redis_url, registry, ProcessName(DIED))
    yield exchange, metrics
    await exchange.aclose()


async def test_one_process_shows_what_all_have_counted(
    service: Service, neighbour: tuple[MetricsExchange, JobMetrics]
) -> None:
    """Each under its own name, and how many live."""
    exchange, metrics = neighbour
    await exchange.publish()
    metrics.record("submit_view", "done", 0.2)
    await exchange.publish()
    series = await scrape(service)
    jobs = (("job", "submit_view"), ("outcome", "done"), ("process", DIED))
    assert series["hairtryon_jobs_total", jobs] == 2
    assert {name: series["hairtryon_processes", (("role", name),)] for name in ("api", "worker")} == {
        "api": 1,
        "worker": 1,
    }
    own = {dict(labels).get("process") for _, labels in series} - {DIED, None}
    assert len(own) == 1


async def test_the_series_of_a_process_that_died_disappear(
    service: Service, redis_url: str, neighbour: tuple[MetricsExchange, JobMetrics]
) -> None:
    """What it told expires, and its name is struck out; one that was only slow is back with its next word."""
    exchange, _ = neighbour
    await exchange.publish()
    redis = Redis.from_url(redis_url)
    assert 0 < await redis.pttl(f"hairtryon:metrics:{DIED}") <= 30_000
    await redis.delete(f"hairtryon:metrics:{DIED}")  # as its expiry does
    series = await scrape(service)
    assert [labels for _, labels in series if ("process", DIED) in labels] == []
    assert series["hairtryon_processes", (("role", "worker"),)] == 0
    assert DIED.encode() not in await redis.smembers("hairtryon:metrics")
    await exchange.publish()
    assert (await scrape(service))["hairtryon_processes", (("role", "worker"),)] == 1
    await redis.aclose()


async def test_what_another_version_told_is_passed_over(service: Service, redis_url: str) -> None:
    """While one version replaces another, each shows what it can read."""
    redis = Redis.from_url(redis_url)
    await redis.sadd("hairtryon:metrics", DIED)
    await redis.set(f"hairtryon:metrics:{DIED}", b"\xc1 what is this")
    series = await scrape(service)
    assert series["hairtryon_processes", (("role", "worker"),)] == 0
    await redis.aclose()


async def test_without_redis_a_process_shows_itself_and_says_that_it_knows_no_more(
    start: Start, dead_port: int
) -> None:
    service = await start(REDIS_URL=f"redis://127.0.0.1:{dead_port}/0")
    customer = await service.customer()
    await customer.generate()
    series = await scrape(service)
    assert series["hairtryon_processes_known", ()] == 0
    assert [name for name, _ in series if name == "hairtryon_processes"] == []
    assert await counted(service, "hairtryon_views_accepted_total") == {("front",): 1}


async def test_without_the_database_a_process_shows_itself(start: Start, dead_port: int) -> None:
    service = await start(DATABASE_URL=f"postgresql://u:secret@127.0.0.1:{dead_port}/none")
    series = await scrape(service)
    assert series["hairtryon_database_known", ()] == 0
    assert [name for name, _ in series if name == "hairtryon_views_open"] == []
    assert any(name == "process_cpu_seconds_total" for name, _ in series)


async def test_webhooks_are_counted_by_what_became_of_them(service: Service) -> None:
    """Of payments and of predictions: what took effect, what came before, and what nobody we trust has signed."""
    customer = await service.customer(credits=1)
    payment_id = service.seller.pay((await order(customer, 2))["session_id"])
    event = payment_event(service.seller.payments[payment_id].payment)
    for _ in range(3):
        await deliver(service, event, message_id="evt_same")
    await deliver(service, event, secret=f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}")
    await deliver(service, b"no event", message_id="evt_strange")
    service.expected_alerts = ["payment_quarantined"]
    await customer.generate()
    await service.worker.drain()
    assert (await service.browser().post("/image/webhook?view_id=1&attempt=1", json={})).status_code == 401
    assert await counted(service, "hairtryon_webhooks_total") == {
        ("applied", "dodo"): 1,
        ("repeated", "dodo"): 2,
        ("refused", "dodo"): 1,
        ("quarantined", "dodo"): 1,
        ("refused", "replicate"): 1,
    }
    assert (await scrape(service))["hairtryon_payments_quarantined", ()] == 1
    assert await counted(service, "hairtryon_credits_total") == {("grant",): 1, ("purchase",): 2, ("held",): 1}


async def test_news_of_predictions_is_counted_once_as_news(service: Service) -> None:
    customer = await service.customer()
    await customer.generate()
    await service.worker.drain()
    (create,) = service.model.orders
    assert create.webhook
    body = msgspec.json.encode({"id": "prediction1", "status": "succeeded", "output": [OUTPUT]})
    for number in range(2):
        _, headers = signed(service.settings.replicate_webhook_secret, f"msg_{number}", body)
        assert (await service.browser().post(create.webhook, content=body, headers=headers)).status_code == 204
    assert await counted(service, "hairtryon_webhooks_total") == {
        ("applied", "replicate"): 1,
        ("repeated", "replicate"): 1,
    }


async def test_books_that_do_not_add_up_are_counted_and_told(service: Service) -> None:
    """By the worker, which audits the ledger by the clock; zero as long as they do."""
    customer = await service.customer()
    await service.worker.audit()
    assert await counted(service, "hairtryon_ledger_differences") == {}
    await service.database.execute("UPDATE users SET credits = credits + 1 WHERE id = $1", customer.id)
    service.expected_alerts = ["books_do_not_add_up"]
    await service.worker.audit()
    assert await counted(service, "hairtryon_ledger_differences") == {(): 1}
    assert await counted(service, "hairtryon_operator_alerts_total") == {("books_do_not_add_up",): 1}
    await service.database.execute("UPDATE users SET credits = credits - 1 WHERE id = $1", customer.id)


def test_every_alert_is_counted_from_the_start_and_explained() -> None:
    """A kind that first appears with its first alert would be missed by a rate; operators find what helps."""
    raised = {kind for file in SOURCE.rglob("*.py") for kind in re.findall(r'alert\(\s*"([a-z_]+)"', file.read_text())}
    raised |= {
        kind for file in SOURCE.rglob("*.py") for kind in re.findall(r'_if_erased\(\w+, "([a-z_]+)"', file.read_text())
    }
    assert raised | {UNPAID} == set(KINDS)
    explained = (SOURCE.parent / "docs" / "operations.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in explained] == []
