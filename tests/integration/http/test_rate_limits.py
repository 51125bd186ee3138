"""How often one may ask: per address, and for renders also per customer."""

import httpx

from tests.integration.http.conftest import Start
from tests.integration.http.stories import Service

LOGIN = {"email": "a@example.com", "password": "x"}


def assert_throttled(response: httpx.Response) -> None:
    """429, with the seconds until it makes sense to come back."""
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(response.headers["Retry-After"]) <= 3600


async def logins(service: Service, count: int, **about: str) -> list[int]:
    return [(await service.browser(**about).post("/auth/login", json=LOGIN)).status_code for _ in range(count)]


async def test_signing_in_is_limited_per_address(start: Start) -> None:
    """After the limit every auth route is 429 from this address; other routes and other addresses go on."""
    service = await start(RATE_LIMIT_AUTH="3/hour")
    assert await logins(service, 3) == [401] * 3
    for spelling in ("/api/v1/auth/login", "//api//v1/auth/login", "/api/v1/auth//login/"):
        assert_throttled(await service.browser().post(service.root(spelling), json=LOGIN))
    assert_throttled(await service.browser().post("/auth/register", json={}))
    assert_throttled(await service.browser().get("/auth/verify", params={"token": "x"}))
    assert (await service.browser().get("/image/styles")).status_code == 200
    assert await logins(service, 1, ip="198.51.100.9") == [401]


async def test_an_ipv6_network_is_one_address(start: Start) -> None:
    """Who has a /64 has one place in line, not 2 to the 64."""
    service = await start(RATE_LIMIT_AUTH="2/hour")
    codes = [(await logins(service, 1, ip=f"2001:db8:1:2::{n}"))[0] for n in range(3)]
    assert codes == [401, 401, 429]
    assert await logins(service, 1, ip="2001:db8:1:3::1") == [401]


async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(start: Start) -> None:
    """A rotating `X-Forwarded-For` is one client unless a proxy of ours wrote it."""
    service = await start(RATE_LIMIT_AUTH="2/hour")
    codes = [(await logins(service, 1, X_Forwarded_For=f"198.51.100.{n}"))[0] for n in range(3)]
    assert codes == [401, 401, 429]
    service = await start(RATE_LIMIT_AUTH="2/hour", TRUSTED_PROXIES="203.0.113.0/24")
    codes = [(await logins(service, 1, X_Forwarded_For=f"198.51.100.{n}"))[0] for n in range(3)]
    assert codes == [401, 401, 401]
    codes = [(await logins(service, 1, X_Forwarded_For=f"192.0.2.{n}, 198.51.100.99"))[0] for n in range(3)]
    assert codes == [401, 401, 429]


async def test_proxies_may_each_add_a_line_of_their_own(start: Start) -> None:
    """All lines are one list: the last one alone would name the inner proxy for everybody."""
    service = await start(RATE_LIMIT_AUTH="2/hour", TRUSTED_PROXIES="203.0.113.0/24,10.0.0.0/8")

    async def login(*lines: str) -> int:
        browser = service.browser()
        browser.headers = httpx.Headers([("X-Forwarded-For", line) for line in lines])
        return (await browser.post("/auth/login", json=LOGIN)).status_code

    told = [await login(f"192.0.2.{n}, 198.51.100.{n}:4{n}", "10.0.0.1", "10.0.0.2") for n in range(3)]
    assert told == [401, 401, 401]
    told = [await login("192.0.2.7", f"198.51.100.99:4{n}, 10.0.0.1", "10.0.0.2") for n in range(3)]
    assert told == [401, 401, 429]


async def test_renders_are_limited_per_address(start: Start) -> None:
    """Two customers at one address share its limit, however they spell the route."""
    service = await start(RATE_LIMIT_GENERATE="3/hour")
    first, second = [await service.customer(credits=3) for _ in range(2)]
    body, other = await first.order(), await second.order()
    assert [(await first.ask(body)).status_code for _ in range(2)] == [202, 202]
    assert (await second.ask(other)).status_code == 202
    assert_throttled(await second.ask(other))
    for spelling in ("/image/generate/", "//image///generate", "/image/%67enerate", "/image/generate?page=1"):
        assert_throttled(await second.api.post(f"{service.settings.public_url}/api/v1{spelling}", json=other))
    assert (await second.api.get("/user/me")).status_code == 200
    assert await second.credits() == (3, 1)


async def test_renders_are_limited_per_customer(start: Start) -> None:
    """One customer at many addresses has one limit, and another is not touched by it."""
    service = await start(RATE_LIMIT_GENERATE="2/hour")
    customer, other = await service.customer(credits=3), await service.customer(ip="198.51.100.77")
    body = await customer.order()
    bearer = customer.api.headers["Authorization"]
    answers = [
        await service.browser(ip=f"198.51.100.{n}", Authorization=bearer).post("/image/generate", json=body)
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert_throttled(answers[-1])
    assert await customer.credits() == (3, 2)
    await other.generate()


async def test_a_dry_run_is_no_render(start: Start) -> None:
    """Per address and per customer it counts with everything else, and uses up no render."""
    service = await start(RATE_LIMIT_GENERATE="1/hour", RATE_LIMIT_DEFAULT="6/hour")
    customer = await service.customer(credits=2)
    body = await customer.order()
    dry_run = "/image/generate?dry_run=true"
    answers = [await customer.api.post(dry_run, json=body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert (await customer.ask(body)).status_code == 202
    assert_throttled(await customer.ask(body))
    bearer = customer.api.headers["Authorization"]
    elsewhere = [
        await service.browser(ip=f"198.51.100.{n}", Authorization=bearer).post(dry_run, json=body) for n in range(4)
    ]
    assert [answer.status_code for answer in elsewhere] == [200] * 3 + [429]


async def test_a_render_is_counted_as_one_whatever_its_query_says(start: Start) -> None:
    service = await start(RATE_LIMIT_GENERATE="1/hour")
    customers = [await service.customer(credits=3) for _ in range(3)]
    orders = [await customer.order() for customer in customers]
    assert (await customers[0].ask(orders[0])).status_code == 202
    for customer, order, query in zip(
        customers, orders, ("dry_run=false", "dry_run=true&dry_run=false", "dry_run=true&%64ry_run=0"), strict=True
    ):
        assert_throttled(await customer.api.post(f"/image/generate?{query}", json=order))


async def test_everything_else_has_a_limit_too(start: Start) -> None:
    """Reads, uploads, unknown routes and refusals count; health, metrics and signed-in work on them go on."""
    service = await start(RATE_LIMIT_DEFAULT="4/hour")
    browser = service.browser()
    for path in ("/image/styles", "/user/me", "/nowhere", "/image/status/1"):
        assert (await browser.get(path)).status_code != 429
    for path in ("/image/styles", "/user/me", "/nowhere", "/nowhere/webhook", service.root("/schema/openapi.json")):
        assert_throttled(await browser.get(path))
    assert_throttled(await browser.post("/image/upload", files={"file": b"x"}))
    for _ in range(5):
        assert (await browser.get(service.root("/health/live"))).status_code == 200
        assert (await browser.get(service.root("/metrics"))).status_code == 200


async def test_the_provider_is_never_told_to_slow_down(start: Start) -> None:
    """Webhooks are exempt: they are refused for what they are, not for how many."""
    service = await start(RATE_LIMIT_DEFAULT="1/hour", RATE_LIMIT_GENERATE="1/hour")
    for _ in range(3):
        response = await service.browser().post("/image/webhook?view_id=1&attempt=1", json={})
        assert (response.status_code, response.json()["code"]) == (401, "webhook_signature_invalid")
