"""Bodies, addresses and headers that make no sense: always a 4xx problem document, never a 500."""

import gzip
from typing import Any

import httpx

from tests.integration.http.stories import Customer, Service

JSON = {"Content-Type": "application/json"}
READERS = ("/auth/register", "/auth/login", "/auth/verify", "/image/generate")
"""Routes that take nothing but JSON."""
MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


def assert_problem(response: httpx.Response, status: int, code: str, about: object = "") -> Any:
    """A problem document (RFC 9457) of exactly our shape; returns it."""
    told = (about, response.status_code, response.text[:300])
    assert response.status_code == status, told
    assert response.headers["Content-Type"] == "application/problem+json", told
    problem = response.json()
    assert set(problem) == MEMBERS, told
    assert (problem["status"], problem["code"]) == (status, code), told
    assert problem["request_id"] == response.headers["X-Request-ID"], told
    assert problem["title"], told
    assert problem["detail"], told
    assert all(set(error) == {"field", "code", "message"} for error in problem["errors"]), told
    return problem


BROKEN = {
    "nothing in braces": b"{",
    "text": b"hello",
    "half a string": b'{"email": "a',
    "no UTF-8": b'{"email": "\xff\xfe"}',
    "UTF-16": '{"email": "a"}'.encode("utf-16"),
    "half a character": b'{"email": "\xc3"}',
    "NaN": b'{"style_id": NaN}',
    "infinity": b'{"style_id": -Infinity}',
    "a comment": b'{"email": "a" /* no */}',
    "a trailing comma": b'{"email": "a",}',
    "single quotes": b"{'email': 'a'}",
    "a raw NUL": b'{"email": "a\x00"}',
    "two documents": b"{} {}",
    "a byte order mark": b'\xef\xbb\xbf{"email": "a"}',
    "a lone surrogate": b'{"email": "\\ud800"}',
    "half a surrogate": b'{"email": "\\ud800\\u0041"}',
}

MISUSED: dict[str, bytes] = {
    "an empty list": b"[]",
    "null": b"null",
    "a number": b"7",
    "a string": b'"x"',
    "nothing": b"{}",
    "true": b"true",
}


async def test_what_is_no_json_is_400_malformed_json(service: Service) -> None:
    """Every way of breaking JSON is told as such, on every route that reads it."""
    customer = await service.customer()
    for path in (*READERS, "/auth/refresh", "/auth/logout"):
        for kind, body in BROKEN.items():
            response = await customer.api.post(path, content=body, headers=JSON)
            assert_problem(response, 400, "malformed_json", (path, kind))


async def test_json_of_another_shape_is_400_validation_failed(service: Service) -> None:
    """Lists, numbers and nothing where an object is wanted; no body at all is told to be missing."""
    customer = await service.customer()
    for path in READERS:
        for kind, body in MISUSED.items():
            response = await customer.api.post(path, content=body, headers=JSON)
            assert_problem(response, 400, "validation_failed", (path, kind))
        for headers in ({}, JSON):
            problem = assert_problem(await customer.api.post(path, headers=headers), 400, "validation_failed", path)
            assert [error["code"] for error in problem["errors"]] == ["missing"]


async def test_nesting_without_end_is_400(service: Service) -> None:
    """A body of brackets ends no request thread, whether it is closed or not and wherever it stands."""
    customer = await service.customer()
    depth = 30_000
    for body in (
        b"[" * depth,
        b"[" * depth + b"]" * depth,
        b'{"a":' * 10_000,
        b'{"email":' + b"[" * depth + b"]" * depth + b"}",
        b'{"views":' + b"[" * depth + b"]" * depth + b"}",
    ):
        for path in ("/auth/login", "/image/generate", "/auth/logout"):
            response = await customer.api.post(path, content=body, headers=JSON)
            assert response.status_code == 400, (body[:20], path, response.text)
            assert response.json()["code"] in {"malformed_json", "validation_failed"}


async def test_fields_are_told_by_name_what_is_wrong_with_them(service: Service) -> None:
    """Missing, unknown and mistyped fields are each named with a code of their own."""
    browser = service.browser()
    good = {"email": "a@example.com", "password": "a-good-Passw0rd", "name": "A"}
    for body, field, code in (
        ({"email": good["email"], "password": good["password"]}, "name", "missing"),
        ({**good, "role": "admin"}, "role", "unknown"),
        ({**good, "is_verified": True}, "is_verified", "unknown"),
        ({**good, "name": 7}, "name", "wrong_type"),
        ({**good, "email": None}, "email", "wrong_type"),
        ({**good, "password": ["p"]}, "password", "wrong_type"),
        ({**good, "password": "short"}, "password", "not_allowed"),
    ):
        problem = assert_problem(await browser.post("/auth/register", json=body), 400, "validation_failed", body)
        assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)], body
        assert good["password"] not in str(problem)
    assert await service.count("registrations") == 0


async def strange_orders(customer: Customer) -> list[dict[str, Any]]:
    good = await customer.order()
    wrong: dict[str, list[Any]] = {
        "style_id": [0, -1, 2**63, 10**30, 1.5, 1.0, "1", True, None, [], {}, 1e300],
        "views": [[], ["top"], "front", ["front", 7], ["FRONT"], {"front": 1}, [None], None],
        "image_input_url": [None, 7, ["x"], "x" * 2049],
        "price": [0],
    }
    return [
        *({**good, field: value} for field, values in wrong.items() for value in values),
        *({**good, "views": views} for views in (["back"], ["front"] * 2, ["front"] * 1000, ["front", "back", "back"])),
        {name: value for name, value in good.items() if name != "style_id"},
        {name: value for name, value in good.items() if name != "image_input_url"},
    ]


async def test_orders_that_make_no_sense_are_400_and_cost_nothing(service: Service) -> None:
    """Wrong numbers, views twice, views without a front, and unknown fields hold no credit and make no image."""
    customer = await service.customer()
    for body in await strange_orders(customer):
        assert_problem(await customer.ask(body), 400, "validation_failed", body)
    assert await customer.credits() == (3, 0)
    assert await service.count("images") == 0


async def test_numbers_and_names_in_addresses_make_no_difference(service: Service) -> None:
    """Whatever stands where an id should is 404, with one body for all ids there are not."""
    customer = await service.customer()
    numbers = (0, -1, 2**31, 2**63 - 1, 2**63, 10**30, -(10**30), "9" * 5000)
    for identifier in (*numbers, "1.0", "x", "%00", "1%0A", "\u0661", "1e3"):
        for method, path in (
            ("GET", "/image/status/{}"),
            ("GET", "/image/{}/events"),
            ("DELETE", "/image/{}"),
            ("PUT", "/image/{}/favourite"),
            ("DELETE", "/image/{}/favourite"),
        ):
            response = await customer.api.request(method, path.format(identifier))
            assert response.status_code == 404, (method, path, str(identifier)[:40], response.text[:200])
            assert response.json()["code"] in {"image_not_found", "not_found"}
    for number in numbers:
        assert_problem(await customer.api.delete(f"/auth/sessions/{number}"), 404, "not_found", str(number)[:40])


async def test_unknown_addresses_and_methods_are_problems(service: Service) -> None:
    """404 for what is not there, 405 with `Allow` for what is there and does not answer this method."""
    browser = service.browser()
    for path in ("/nowhere", "/image", "/auth/", "/%2e%2e/x", "/%00"):
        assert_problem(await browser.get(path), 404, "not_found", path)
    assert_problem(await browser.get(service.root("/")), 404, "not_found")
    assert_problem(await browser.get(service.root("/api/v2/image/styles")), 404, "not_found")
    for method, path, allowed in (
        ("DELETE", "/user/credits", {"GET"}),
        ("GET", "/auth/login", {"POST"}),
        ("PUT", "/image/styles", {"GET"}),
        ("PATCH", "/auth/verify", {"GET", "POST"}),
    ):
        response = await browser.request(method, path)
        assert_problem(response, 405, "not_found", path)
        assert allowed <= {name.strip() for name in response.headers["Allow"].split(",")}, path


async def test_a_strange_host_is_400_and_nothing_else_is_made_of_it(service: Service) -> None:
    """What no host name can be is refused; what could be one is ignored."""
    for host in ("evil host", "evil.example/path", "<script>"):
        assert_problem(await service.browser(Host=host).get("/user/me"), 400, "validation_failed", host)
    assert (await service.browser(Host="evil.example").get("/user/me")).status_code == 401


async def test_bodies_beyond_the_limit_are_413(service: Service) -> None:
    """64 KiB of JSON, 256 KiB of a webhook and 10 MB of a photo, whether or not their length is announced."""
    customer = await service.customer()

    async def pieces(count: int) -> Any:
        for _ in range(count):
            yield b" " * 1024

    for path, kilobytes in (("/auth/login", 65), ("/image/generate", 65), ("/image/webhook?view_id=1&attempt=1", 257)):
        announced = await customer.api.post(path, content=b" " * 1024 * kilobytes, headers=JSON)
        assert_problem(announced, 413, "payload_too_large", path)
        unannounced = await customer.api.post(path, content=pieces(kilobytes), headers=JSON)
        assert_problem(unannounced, 413, "payload_too_large", path)
    fitting = b'{"email": "a@example.com", "password": "x"}'
    padded = await customer.api.post("/auth/login", content=fitting.ljust(64 * 1024), headers=JSON)
    assert_problem(padded, 401, "invalid_credentials")


async def test_compressed_bodies_are_not_unpacked(service: Service) -> None:
    """415, however little they would grow."""
    body = gzip.compress(b'{"email": "a@example.com", "password": "x"}')
    response = await service.browser().post("/auth/login", content=body, headers={**JSON, "Content-Encoding": "gzip"})
    assert_problem(response, 415, "unsupported_media_type")


async def test_strange_keys_for_repeating_are_400(service: Service) -> None:
    """An `Idempotency-Key` is 1 to 255 visible ASCII characters."""
    customer = await service.customer()
    body = await customer.order()
    for key in (b"", b" ", b"k" * 256, b"with space", b"tab\t", b"\xe9", b"\xff\xfe", b"new\x0bline"):
        response = await customer.api.post("/image/generate", json=body, headers=[(b"idempotency-key", key)])
        assert_problem(response, 400, "validation_failed", key)
    assert await service.count("images") == 0


async def test_text_that_a_database_cannot_hold_is_refused_or_harmless(service: Service) -> None:
    """NUL and unpaired surrogates in any text field are a 4xx."""
    customer = await service.customer()
    good = {"email": "a@example.com", "password": "a-good-Passw0rd", "name": "A"}
    for text in ("\\u0000", "\\ud83d", "\\udc00x", "\\uffff"):
        for field, value in (("email", f"{text}@example.com"), ("name", text), ("password", text * 8)):
            fields = ", ".join(f'"{name}": "{value if name == field else known}"' for name, known in good.items())
            content = f"{{{fields}}}".encode()
            for path in ("/auth/register", "/auth/login"):
                response = await customer.api.post(path, content=content, headers=JSON)
                assert 200 <= response.status_code < 500, (text, field, path, response.text)
        order = f'{{"style_id": 1, "image_input_url": "{text}"}}'.encode()
        response = await customer.api.post("/image/generate", content=order, headers=JSON)
        assert response.status_code in {400, 404, 422}, (text, response.text)


async def test_a_fault_of_ours_tells_nothing_but_its_id(service: Service) -> None:
    """An unforeseen exception is a 500 problem without a trace of the code, and an error in the log."""
    service.expects_errors = True
    customer = await service.customer()
    await service.database.execute("ALTER TABLE uploads RENAME TO gone")
    response = await customer.api.get("/user/images")
    problem = assert_problem(response, 500, "internal_error")
    assert "uploads" not in str(problem)
    assert "Traceback" not in response.text
    assert [line["event"] for line in service.log if line["log_level"] == "error"] == ["internal_error"]
