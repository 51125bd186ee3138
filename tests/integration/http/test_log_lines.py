"""What every line of the log says of what it is about: which request, whose, which try-on."""

import asyncio
from collections.abc import Iterator, MutableMapping
from typing import Any

import httpx
import msgspec
import pytest
from structlog.contextvars import clear_contextvars, merge_contextvars
from structlog.testing import capture_logs

from tests.contract.conftest import RunningSandbox
from tests.integration.http.conftest import Start
from tests.integration.http.every_route import ask_every_route
from tests.integration.http.stories import Customer, Service
from tests.integration.http.test_google import google
from tests.integration.http.test_provider_webhook import deliver, news
from tests.integration.http.wire import serving

Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def lines(service: Service) -> Iterator[Lines]:
    """Those of the service, with all that they say."""
    assert service.app
    with capture_logs(processors=[merge_contextvars]) as log:
        yield log


async def generated(customer: Customer, **headers: str) -> int:
    body = await customer.order()
    response = await customer.api.post("/image/generate", json=body, headers=headers)
    assert response.status_code == 202
    return int(response.json()["image_id"])


async def by_itself(work: Any) -> Any:
    """As in a process of its own, where nothing is known of what was done before."""
    clear_contextvars()
    return await asyncio.create_task(work)


async def test_lines_of_a_worker_tell_which_request_whose_and_which_try_on_they_are_about(
    service: Service, lines: Lines
) -> None:
    """From the request through the outbox and the poller into the worker, without traces too."""
    customer = await service.customer()
    image = await by_itself(generated(customer, **{"X-Request-ID": "a-request-of-ada"}))
    kept = await service.database.fetch("SELECT origin FROM outbox UNION ALL SELECT origin FROM views")
    asked = {"request_id": "a-request-of-ada", "user_id": customer.id}
    assert [msgspec.json.decode(row["origin"]) for row in kept] == [asked] * 2
    service.model.plan("failed", error="flagged as sensitive (E005)")
    await by_itself(service.work())
    (line,) = [line for line in lines if line["event"] == "prediction_failed"]
    about = {"job": "finish_view", "image_id": image, "view": "front", "attempt": 1}
    assert {name: line[name] for name in (*asked, *about)} == asked | about


async def test_the_news_of_a_prediction_tells_whose_it_is(service: Service, lines: Lines) -> None:
    """The request is the provider's own; what it is about is known as soon as the view is."""
    customer = await service.customer()
    await by_itself(generated(customer))
    await by_itself(service.worker.drain())
    (create,) = service.model.orders
    assert await by_itself(deliver(service, create.webhook, news("prediction1"))) == 204
    (told,) = [line for line in lines if line.get("route") == "/api/v1/image/webhook"]
    assert told["user_id"] == customer.id


async def test_who_asks_at_the_same_time_is_told_apart(service: Service, lines: Lines) -> None:
    """Two customers and a visitor at once, and then their jobs: each line has its own user, or none."""
    ada, grace = await service.customer(), await service.customer()
    visitor = service.browser()
    await asyncio.gather(
        *(by_itself(generated(customer)) for customer in (ada, grace)),
        *(by_itself(visitor.get(path)) for path in ("/image/styles", "/image/styles?category=celebrity")),
    )
    service.model.plan("failed", error="flagged as sensitive (E005)")
    service.model.plan("failed", error="flagged as sensitive (E005)")
    await by_itself(service.work())

    async def owner(image: int) -> int:
        return int(await service.database.fetchval("SELECT user_id FROM images WHERE id = $1", image))

    requests = [line for line in lines if line["event"] == "request"]
    users = {route: {line.get("user_id") for line in requests if line["route"] == route} for route in routes(requests)}
    assert users == {
        "/api/v1/image/upload": {ada.id, grace.id},
        "/api/v1/image/generate": {ada.id, grace.id},
        "/api/v1/image/styles": {None},
    }
    failed = [line for line in lines if line["event"] == "prediction_failed"]
    assert {line["user_id"] for line in failed} == {ada.id, grace.id}
    assert all([line["user_id"] == await owner(line["image_id"]) for line in failed])


def routes(requests: Lines) -> set[str]:
    return {line["route"] for line in requests}


async def test_a_connection_hands_nothing_of_one_request_to_the_next(service: Service, lines: Lines) -> None:
    """Not even to one that is sent before the first is answered, which a server goes on to from within the first."""
    customer = await service.customer()
    token = customer.api.headers["Authorization"]
    async with serving(service) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(
            f"GET /api/v1/user/me HTTP/1.1\r\nHost: here\r\nAuthorization: {token}\r\n\r\n"
            "GET /api/v1/image/styles?category=celebrity HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode()
        )
        answers = await reader.read()
        writer.close()
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    first, second = (line for line in lines if line["event"] == "request")
    assert (first["route"], first["user_id"]) == ("/api/v1/user/me", customer.id)
    assert second["route"] == "/api/v1/image/styles"
    assert "user_id" not in second


async def test_whoever_is_signed_in_stands_beside_each_of_their_requests(start: Start, sandbox: RunningSandbox) -> None:
    """For every route there is; a request of nobody's stands beside none."""
    service = await start(**google(sandbox))

    async def note(answer: Any) -> tuple[httpx.Response, bool]:
        with capture_logs(processors=[merge_contextvars]) as lines:
            response = await by_itself(answer)
        (request,) = [line for line in lines if line["event"] == "request"]
        return response, "user_id" in request

    wrong = {
        answer.operation: answer.noted
        async for answer in ask_every_route(service, note)
        if answer.noted != answer.signed_in and answer.operation not in _OF_SOMEBODY
    }
    assert wrong == {}


_OF_SOMEBODY = {
    "receivePrediction": "of the view that it is news of",
    "logOut": "of whoever has the tokens, which the visit brings in its body",
}
"""Requests that nobody is signed in for by a header, and that are about a customer all the same."""
