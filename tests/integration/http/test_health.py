"""Whether the service lives and is ready, and what it does while a dependency is away."""

from typing import Any

from tests.integration.http.conftest import Start
from tests.integration.http.scrape import counted
from tests.integration.http.stories import Service

CREDENTIALS = {"email": "a@example.com", "password": "a-good-Passw0rd"}


async def readiness(service: Service) -> tuple[int, str, dict[str, bool]]:
    response = await service.browser().get(service.root("/health/ready"))
    answer: dict[str, Any] = response.json()
    assert all(type(check["seconds"]) is float for check in answer["checks"].values())
    return response.status_code, answer["status"], {name: check["ok"] for name, check in answer["checks"].items()}


async def test_a_service_with_everything_is_ready(service: Service) -> None:
    """Database, Redis and storage answer, each with its latency."""
    assert await readiness(service) == (200, "ok", {"database": True, "redis": True, "storage": True})
    live = await service.browser().get(service.root("/health/live"))
    assert (live.status_code, live.json()) == (200, {"status": "ok"})


async def test_without_the_database_nothing_is_ready(start: Start, dead_port: int) -> None:
    """Readiness is 503, liveness 200; routes answer 503 with `Retry-After` and tell no address."""
    service = await start(DATABASE_URL=f"postgresql://u:secret@127.0.0.1:{dead_port}/none")
    assert await readiness(service) == (503, "unavailable", {"database": False, "redis": True, "storage": True})
    browser = service.browser()
    assert (await browser.get(service.root("/health/live"))).status_code == 200
    answers = [
        await browser.post("/auth/login", json=CREDENTIALS),
        await browser.post("/auth/register", json={**CREDENTIALS, "name": "A"}),
        await browser.get("/auth/verify", params={"token": "x"}),
    ]
    for response in answers:
        assert (response.status_code, response.json()["code"]) == (503, "service_unavailable"), response.request.url
        assert int(response.headers["Retry-After"]) >= 1
        assert "127.0.0.1" not in response.text


async def test_without_redis_the_service_is_degraded_and_works(start: Start, dead_port: int) -> None:
    """Readiness is 200 `degraded`, and a try-on is accepted."""
    service = await start(REDIS_URL=f"redis://127.0.0.1:{dead_port}/0")
    assert await readiness(service) == (200, "degraded", {"database": True, "redis": False, "storage": True})
    customer = await service.customer()
    await customer.generate()


async def test_without_storage_the_service_is_degraded_and_shows_what_it_can(service: Service) -> None:
    """Readiness is 200 `degraded`; profile, status and gallery go on."""
    customer = await service.customer()
    image = await customer.generate()
    service.storage.is_away = True
    assert await readiness(service) == (200, "degraded", {"database": True, "redis": True, "storage": False})
    assert (await customer.status(image))["status"] == "PENDING"
    assert len((await customer.get("/user/images"))["items"]) == 1


async def test_what_is_counted_is_shown_without_ids(service: Service) -> None:
    """Requests are counted by method, route and status; routes are templates, and nothing names a customer."""
    customer = await service.customer()
    image = await customer.generate()
    await customer.status(image)
    await service.browser().get("/nowhere/at/all")
    response = await service.browser().get(service.root("/metrics"))
    assert response.headers["Content-Type"].startswith("text/plain")
    counted_requests = await counted(service, "http_requests_total")
    assert counted_requests["GET", "/api/v1/image/status/{image_id}", "200"] == 1
    assert counted_requests["GET", "unmatched", "404"] == 1
    assert "nowhere" not in response.text


async def test_metrics_may_need_their_token(start: Start) -> None:
    """With `METRICS_TOKEN` set, anything else than exactly it is 401."""
    service = await start(METRICS_TOKEN="the-token-of-metrics")
    browser, metrics = service.browser(), service.root("/metrics")
    for header in ("", "Bearer", "Bearer wrong", "the-token-of-metrics", "Basic the-token-of-metrics", "Bearer \u00e9"):
        response = await browser.get(metrics, headers=[(b"authorization", header.encode("latin-1"))])
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated"), header
    assert (await browser.get(metrics)).status_code == 401
    welcome = await browser.get(metrics, headers={"Authorization": "Bearer the-token-of-metrics"})
    assert welcome.status_code == 200
