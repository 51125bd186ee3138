"""The outermost layer: what happens to every request, before and after the routes.

It gives each request an id, counts it against its limit, refuses foreign origins and wrong content types, answers
CORS preflights, adds the security headers, and leaves one line in the log and one count in the metrics. It is plain
ASGI, and one layer, because it runs for every request.
"""

import re
import secrets
import time
from http import HTTPStatus

import structlog
from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send, WebSocketScope

from domain.errors import Failure, Forbidden
from presentation.http.handshakes import refuse_closed_handshake, refuse_handshake
from presentation.http.limits import Limiter, rate_of
from presentation.http.metrics import STREAM_BEGAN, HttpMetrics
from presentation.http.problems import MEDIA_TYPE, Problem, encode, headers_of, problem_of, problem_of_failure
from presentation.http.security import (
    CHANGING_METHODS,
    ClientAddresses,
    Headers,
    Origins,
    acceptable_request_id,
    network_of,
    security_headers,
)
from presentation.http.signed_forms import FORM_PATH
from presentation.spans import Spans

log = structlog.get_logger()

_READ_HEADERS = frozenset(
    {
        b"origin",
        b"x-request-id",
        b"x-forwarded-for",
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"user-agent",
    }
)
_PAGES = frozenset({"/schema", "/schema/reference"})
"""For people; beside them the OpenAPI document is data."""
_UPLOADS = re.compile(r"/api/v1/(image/upload|user/me/picture|admin/styles/[^/]+/thumbnail)")
_SLASHES = re.compile(r"//+")
_OPENED = 101
"""What an accepted handshake is answered."""
_NO_STORE = (b"cache-control", b"no-store")
"""Of every answer that does not say itself how long it may be kept: else caches may guess (RFC 9111, section 4.2.2)."""


class Edge:
    def __init__(
        self,
        app: ASGIApp,
        *,
        origins: Origins,
        addresses: ClientAddresses,
        limiter: Limiter,
        metrics: HttpMetrics,
        spans: Spans,
        https: bool,
    ) -> None:
        self._app = app
        self._origins = origins
        self._addresses = addresses
        self._limiter = limiter
        self._metrics = metrics
        self._spans = spans
        self._headers = security_headers(https=https)
        self._page_headers = security_headers(https=https, page=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            with self._spans.begin(scope["method"], "server"):
                await self._answer(scope, receive, send)
        elif scope["type"] == ScopeType.WEBSOCKET:
            await self._shake_hands(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        given, request_id, ip = self._identify(scope)
        origin = given.get(b"origin")
        security = self._page_headers if scope["path"] in _PAGES else self._headers
        added = [*security, _NO_STORE, (b"x-request-id", request_id.encode()), *self._origins.headers(origin)]
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers: Headers = list(message["headers"])
                names = {name for name, _ in headers}
                headers += [(name, value) for name, value in added if name not in names]
                if b"allow" in names:
                    headers = _with_every_method(headers, scope)
                message["headers"] = headers
            await send(message)

        try:
            if scope["method"] == "OPTIONS" and origin is not None:
                await _reply(send_with_headers, HTTPStatus.NO_CONTENT, self._origins.preflight_headers(origin))
                return
            refusal = self._refusal(scope, given, ip, request_id)
            if refusal is None:
                await self._app(scope, receive, send_with_headers)
            else:
                problem, headers = refusal
                content_type = (b"content-type", MEDIA_TYPE.encode())
                await _reply(send_with_headers, problem.status, [content_type, *headers], encode(problem))
        finally:
            self._record(scope, scope["method"], status, began)

    async def _shake_hands(self, scope: WebSocketScope, receive: Receive, send: Send) -> None:
        """For a WebSocket: a foreign origin is refused, and so is who asks too often, before anything is opened."""
        began = time.perf_counter()
        given, request_id, ip = self._identify(scope)
        status = 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "websocket.accept":
                status = _OPENED
                scope["state"][STREAM_BEGAN] = time.perf_counter()
            elif message["type"] == "websocket.http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.close" and status != _OPENED:
                await refuse_closed_handshake(send_noting, scope, message["reason"], request_id)
                return
            await send(message)

        try:
            self._limiter.hit("default", network_of(ip))
            origin = given.get(b"origin")
            if origin is not None and not self._origins.allow(origin):
                raise Forbidden("csrf_rejected", "Connections from this origin are not accepted.")
            await self._app(scope, receive, send_noting)
        except Failure as failure:
            await refuse_handshake(send_noting, failure, request_id)
        finally:
            self._record(scope, "WEBSOCKET", status, began)

    def _identify(self, scope: HTTPScope | WebSocketScope) -> tuple[dict[bytes, bytes], str, str]:
        """Note who it is; returns the headers that are read here, the request's id, and the client's address."""
        scope["path"] = _routed(scope["path"])
        given = {name: value for name, value in scope["headers"] if name in _READ_HEADERS}
        request_id = self._request_id(given)
        # A request that was sent behind another, without waiting for its answer, begins in what that one has bound.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        peer = scope["client"][0] if scope["client"] else ""
        ip = self._addresses.of(peer, _forwarded_for(scope) if b"x-forwarded-for" in given else None)
        scope.setdefault("state", {}).update(request_id=request_id, client=(ip, given.get(b"user-agent", b"")))
        return given, request_id, ip

    def _request_id(self, given: dict[bytes, bytes]) -> str:
        own = given.get(b"x-request-id", b"").decode("latin-1")
        return own if own and acceptable_request_id(own) else secrets.token_hex(16)

    def _refusal(
        self, scope: HTTPScope, given: dict[bytes, bytes], ip: str, request_id: str
    ) -> tuple[Problem, Headers] | None:
        path, method = scope["path"], scope["method"]
        try:
            rate = rate_of(path, method, scope["query_string"])
            if rate is not None:
                self._limiter.hit(rate, network_of(ip))
            if method in CHANGING_METHODS:
                origin = given.get(b"origin")
                if origin is not None and not self._origins.allow(origin):
                    raise Forbidden("csrf_rejected", "Requests from this origin are not accepted.")
                if not _readable(path, given):
                    detail = "Send application/json, or multipart/form-data for uploads, not compressed."
                    return problem_of(415, "unsupported_media_type", detail, request_id), []
        except Failure as failure:
            headers = [(name.lower().encode(), value.encode()) for name, value in headers_of(failure).items()]
            return problem_of_failure(failure, request_id), headers
        return None

    def _record(self, scope: HTTPScope | WebSocketScope, method: str, status: int, began: float) -> None:
        # The template, not the path: paths and queries hold ids, tokens and signatures.
        route = scope.get("path_template") or "unmatched"
        ended = time.perf_counter()
        self._metrics.record(method, route, status, scope["state"].get(STREAM_BEGAN, ended) - began)
        if self._spans.is_on:
            about = {"method": method, "route": route, "status": status, "request_id": scope["state"]["request_id"]}
            self._spans.note(name=f"{method} {route}", **about)
        log.info("request", method=method, route=route, status=status, seconds=round(ended - began, 6))


def _routed(path: str) -> str:
    """The path as the router reads it: slashes that repeat or trail do not count there, so no rule may miss any."""
    return f"/{_SLASHES.sub('/', path.strip('/'))}" if "//" in path or path.endswith("/") else path


def _forwarded_for(scope: HTTPScope | WebSocketScope) -> str:
    """All lines as one, as RFC 9110, section 5.3 has it: each proxy may have added its own."""
    return b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")


def _with_every_method(headers: Headers, scope: HTTPScope) -> Headers:
    """Litestar's own answer to OPTIONS names, where a path has several handlers, the methods of one of them."""
    template = scope.get("path_template")
    routes = [route for route in scope["litestar_app"].routes if route.path_format == template]
    methods = {method for route in routes if isinstance(route, HTTPRoute) for method in route.methods}
    allow = (b"allow", ", ".join(sorted(methods)).encode())
    return [allow if name == b"allow" and methods else (name, value) for name, value in headers]


def _readable(path: str, given: dict[bytes, bytes]) -> bool:
    if given.get(b"content-encoding", b"identity").lower() != b"identity":
        return False
    has_body = given.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in given
    content_type = given.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if not has_body and not content_type:
        return True
    if path == FORM_PATH or _UPLOADS.match(path):
        return content_type in {b"application/json", b"multipart/form-data"}
    return content_type == b"application/json"


async def _reply(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
