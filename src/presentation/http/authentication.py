"""Who is asking: from a bearer token or a cookie to an actor."""

import time
from functools import lru_cache
from typing import Any

import structlog
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from msgspec.structs import replace

from application.actor import Actor, Client
from application.auth.ports import SessionGate, Tokens
from application.auth.tokens import TokenPair
from domain.errors import Forbidden, Unauthenticated
from presentation.http.security import CHANGING_METHODS, client_of, header_of

AnyRequest = Request[Any, Any, Any]
AnyConnection = ASGIConnection[Any, Any, Any, Any]
"""A request, or the handshake of a WebSocket."""

ACCESS_COOKIE = "access_token"
REFRESH_COOKIE = "refresh_token"
_REFRESH_PATH = "/api/v1/auth"
_TOKENS_REMEMBERED = 4096


class Authenticator:
    """Reads the credential of a request. A header wins over a cookie.

    What an authentic token says never changes, and to verify it costs as much as a query: so that is done once per
    token, while whether it is still good, by the clock and by its session, is asked every time.
    """

    def __init__(self, tokens: Tokens, gate: SessionGate) -> None:
        self._tokens = tokens
        self._read = lru_cache(_TOKENS_REMEMBERED)(tokens.read_access)
        self._gate = gate

    async def actor(self, connection: AnyConnection) -> Actor:
        token = _credential(connection)
        claims = self._read(token)
        if claims.expires_at <= time.time():
            claims = self._tokens.read_access(token)
        actor = await self._gate.admit(claims)
        structlog.contextvars.bind_contextvars(user_id=claims.user_id)
        return replace(actor, client=_client_of(connection))


def _credential(connection: AnyConnection) -> str:
    header = header_of(connection.scope, b"authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("not_authenticated", "Send `Authorization: Bearer` and an access token.")
        return token.strip()
    cookie = connection.cookies.get(ACCESS_COOKIE)
    if cookie is None:
        raise Unauthenticated("not_authenticated", "Please log in.")
    require_origin(connection)
    return cookie


def require_origin(connection: AnyConnection) -> None:
    """Refuse a change whose credential a browser added by itself unless it names an origin; the edge knows which.

    The same for a WebSocket: what it brings, other sites' pages could read.
    """
    scope = connection.scope
    is_harmless = scope["type"] == ScopeType.HTTP and scope["method"] not in CHANGING_METHODS
    if not is_harmless and "origin" not in connection.headers:
        raise Forbidden("csrf_rejected", "A request with cookies must carry its Origin.")


def visitor_of(request: AnyRequest) -> Actor:
    """Somebody who is not signed in, or need not be."""
    return Actor.anonymous(_client_of(request))


def _client_of(connection: AnyConnection) -> Client:
    return client_of(*connection.scope["state"]["client"])


SignedIn = NamedDependency[Actor]
"""A parameter that is the customer who asks; nobody else gets in."""
Caller = NamedDependency[Actor]
"""A parameter that is the customer who asks, or whoever it is where there is no valid access token."""
Visitor = NamedDependency[Actor]
"""A parameter that is whoever asks."""


async def provide_actor(request: AnyRequest) -> Actor:
    authenticator: Authenticator = request.app.state.authenticator
    return await authenticator.actor(request)


async def provide_caller(request: AnyRequest) -> Actor:
    try:
        return await provide_actor(request)
    except Unauthenticated:
        return visitor_of(request)


async def provide_visitor(request: AnyRequest) -> Actor:
    return visitor_of(request)


class TokenCookies:
    """Puts tokens into cookies that scripts cannot read, and takes them out again."""

    def __init__(self, *, secure: bool, samesite: str, access_seconds: int, refresh_seconds: int) -> None:
        self._secure = secure
        self._samesite: Any = samesite
        self._access_seconds = access_seconds
        self._refresh_seconds = refresh_seconds

    def set(self, pair: TokenPair) -> Response[TokenPair]:
        headers = {"Cache-Control": "no-store"}
        return Response(pair, cookies=self.of(pair), headers=headers)

    def of(self, pair: TokenPair) -> list[Cookie]:
        return [
            self._cookie(ACCESS_COOKIE, "/", pair.access_token, self._access_seconds),
            self._cookie(REFRESH_COOKIE, _REFRESH_PATH, pair.refresh_token, self._refresh_seconds),
        ]

    def clear(self) -> Response[None]:
        cookies = [self._cookie(ACCESS_COOKIE, "/", "", 0), self._cookie(REFRESH_COOKIE, _REFRESH_PATH, "", 0)]
        return Response(None, status_code=204, cookies=cookies)

    def _cookie(self, name: str, path: str, value: str, seconds: int) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            path=path,
            max_age=seconds,
            httponly=True,
            secure=self._secure,
            samesite=self._samesite,
        )
