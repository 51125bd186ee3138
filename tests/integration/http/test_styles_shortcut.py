"""The catalogue's short way and the framework's way to the same answer."""

import pytest

from domain.styles import Category
from tests.integration.http.conftest import Start
from tests.integration.http.stories import Service


@pytest.mark.parametrize("query", ["", "category=standard", "category=celebrity"])
async def test_both_ways_give_the_same_answer(service: Service, query: str) -> None:
    """A needless `&` is enough to go the whole way: status, body and headers are the same, for a known page too."""
    await service.style()
    await service.style(category=Category.CELEBRITY)
    browser = service.browser()
    etag = (await browser.get(f"/image/styles?{query}")).headers["ETag"]
    for headers in ({}, {"If-None-Match": etag}):
        short = await browser.get(f"/image/styles?{query}", headers=headers)
        whole = await browser.get(f"/image/styles?{query}&", headers=headers)
        assert (short.status_code, short.content) == (whole.status_code, whole.content)
        assert {*short.headers.items()} - {*whole.headers.items()} == {("x-request-id", short.headers["x-request-id"])}
        assert short.headers.keys() == whole.headers.keys()


async def test_both_ways_are_logged_alike(service: Service) -> None:
    """The log names the same route for both."""
    browser = service.browser()
    await browser.get("/image/styles")
    await browser.get("/image/styles?&")
    short, whole = [line for line in service.log if line["event"] == "request"]
    assert short["route"] == whole["route"] == "/api/v1/image/styles"


async def test_both_ways_refuse_alike(start: Start, dead_port: int) -> None:
    """While the database is away: the same problem, and when to come back."""
    service = await start(DATABASE_URL=f"postgresql://nobody@127.0.0.1:{dead_port}/none")
    browser = service.browser()
    short, whole = await browser.get("/image/styles"), await browser.get("/image/styles?&")
    assert (short.status_code, short.headers["Retry-After"]) == (503, whole.headers["Retry-After"])
    assert {**short.json(), "request_id": ""} == {**whole.json(), "request_id": ""}
    assert short.json()["request_id"] == short.headers["X-Request-ID"]
    assert {*short.headers.items()} - {*whole.headers.items()} == {("x-request-id", short.headers["x-request-id"])}
