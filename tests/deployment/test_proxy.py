"""What the API leaves to the proxy before it: slow clients, large bodies, and whose address it is."""

import asyncio
import json
import ssl
import time

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.deployment.way_in import CLIENT, WayIn
from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.rig import Rig
from tests.faults.watcher import Watcher

pytestmark = pytest.mark.exhaustive

REQUEST_LINE = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_ENOUGH_SECONDS = 40
"""Ends a test whose client nobody cuts off; the proxy waits for ten."""


def trickle(connection: ssl.SSLSocket, piece: bytes) -> bytes:
    """Send this twice a second, until there is an answer or the connection ends; returns the answer."""
    connection.settimeout(0.5)
    answer = b""
    for _ in range(_ENOUGH_SECONDS * 2):
        try:
            connection.sendall(piece)
            received = connection.recv(4096)
        except TimeoutError:
            continue
        except OSError:
            return answer
        if not received:
            return answer
        answer += received
    pytest.fail("The proxy has cut nobody off.")


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"", b""),
        (REQUEST_LINE, b""),
        (REQUEST_LINE, b"X-More: and more\r\n"),
        (REQUEST_LINE + b"Content-Length: 60000\r\n\r\n", b""),
        (REQUEST_LINE + b"Content-Length: 60000\r\n\r\n", b" "),
        (REQUEST_LINE + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["nothing", "half a header", "endless headers", "no body", "a trickling body", "a trickling chunked body"],
)
async def test_who_is_slow_is_cut_off(rig: Rig, way_in: WayIn, beginning: bytes, piece: bytes) -> None:
    """The proxy ends it, and the API has heard nothing of it."""
    since = rig.log_sizes()
    with way_in.connection() as connection:
        connection.sendall(beginning)
        answer = await asyncio.to_thread(trickle, connection, piece)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    assert not [line for line in rig.logged(since, "api") if line.get("route") == "/api/v1/auth/login"]


async def test_events_come_as_they_happen(rig: Rig, customer: Customer) -> None:
    """A stream tells of the beginning while the end is a long way off: nothing waits in a buffer."""
    rig.provider.expect(creates=1)
    await rig.provider.script({"on": "create", "delay": 3})
    watcher = Watcher(await customer.generate())
    watching = asyncio.create_task(watcher.read(customer.http))
    await eventually(lambda: bool(watcher.seen))
    assert watcher.last["status"] in {"PENDING", "PROCESSING"}
    await watching
    assert (watcher.last["view"], watcher.last["status"]) == (None, "COMPLETED")


async def test_a_websocket_passes(way_in: WayIn, customer: Customer) -> None:
    """It tells of a try-on from its beginning to its end."""
    authorization = {"Authorization": customer.http.headers["Authorization"]}
    address = f"{way_in.url.replace('https', 'wss')}/api/v1/image/ws"
    async with connect(address, ssl=way_in.trust, additional_headers=authorization, proxy=None) as connection:
        image = await customer.generate()
        async with asyncio.timeout(60):
            while True:
                told = json.loads(await connection.recv())
                if told["data"]["view"] is None and told["data"]["status"] == "COMPLETED":
                    break
    assert told["data"]["image_id"] == image


async def test_the_api_learns_who_it_is(customer: Customer, rig: Rig, way_in: WayIn) -> None:
    """The client's address is the one that the proxy saw, whatever the client says of it."""
    email = f"{rig.new_canary()}@example.org"
    async with way_in.client() as stranger:
        stranger.headers["X-Forwarded-For"] = "203.0.113.7, 127.0.0.1"
        stranger.headers["Forwarded"] = "for=203.0.113.7"
        await stranger.post("/auth/register", json={"email": email, "password": rig.password, "name": "Eve"})
        token = await customer.mailed_token(email)
        tokens = (await stranger.post("/auth/verify", json={"token": token})).json()
        signed_in = {"Authorization": f"Bearer {tokens['access_token']}"}
        sessions = (await stranger.get("/auth/sessions", headers=signed_in)).json()["items"]
    assert [session["ip"] for session in sessions] == [CLIENT]


async def test_the_api_tells_what_is_too_large_and_the_proxy_what_is_far_too_large(way_in: WayIn) -> None:
    """Both answer 413 as the API answers errors, so that a client need not know of the proxy."""
    async with way_in.client() as stranger:
        for size in (70_000, 300_000):
            body = json.dumps({"email": "a" * size, "password": "b"}).encode()
            answer = await stranger.post("/auth/login", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "payload_too_large"


async def test_a_photo_as_large_as_allowed_passes(customer: Customer) -> None:
    """Ten megabytes reach the API, which looks into them; one more is refused."""
    largest = 10 * 1024 * 1024
    for size, code in ((largest, "image_unreadable"), (largest + 1, "payload_too_large")):
        answer = await customer.http.post("/image/upload", files={"file": ("me.jpg", b"\0" * size)})
        assert answer.json()["code"] == code


async def test_metrics_are_for_the_inside_only(way_in: WayIn) -> None:
    """They are not there, with or without their token."""
    async with way_in.client() as stranger:
        assert (await stranger.get(f"{way_in.url}/metrics")).status_code == 404
        assert (await stranger.get(f"{way_in.url}/health/live")).status_code == 200


async def test_plain_http_leads_to_https(way_in: WayIn) -> None:
    """By a redirect that keeps method and body."""
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{way_in.plain_url}/api/v1/auth/login?x=1")
    assert answer.status_code == 308
    assert answer.headers["location"].startswith("https://")


async def test_while_the_api_is_away_clients_hear_so(rig: Rig, way_in: WayIn) -> None:
    """As the API itself would say it, with a time to come back; and it is found again without a restart."""
    rig.api.kill()
    async with way_in.client() as stranger:
        answer = await stranger.get("/image/styles")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        assert answer.json()["code"] == "service_unavailable"
        rig.mend()
        deadline = time.monotonic() + _ENOUGH_SECONDS
        while not (await stranger.get("/image/styles")).is_success:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
