"""The public catalogue."""

import asyncio
import time
from hashlib import sha256

import msgspec
from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, get
from litestar.enums import ScopeType
from litestar.params import FromQuery
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct, structs

from application.actor import Actor, Client
from application.pages import Page
from application.styles.list_styles import ListStyles, ListStylesHandler
from application.styles.ports import StyleItem
from domain.errors import Failure
from domain.styles import Category
from presentation.http.authentication import AnyRequest
from presentation.http.documentation import refusals
from presentation.http.problems import MEDIA_TYPE, encode, headers_of, problem_of_failure, request_id_of
from presentation.http.security import header_of

CACHE_CONTROL = "public, max-age=60"

_CROWD = 8
"""Requests that wait for the catalogue."""
_OLDEST_SECONDS = 1.0
_RENEWED_SECONDS = 900.0
"""A page that is known is kept no longer: addresses of pictures are good for half an hour more when they are shown."""
_EVERYBODY = Actor.anonymous(Client())
_QUERIES: dict[bytes, Category | None] = {
    b"": None,
    **{f"category={category.value}".encode(): category for category in Category},
}


class EncodedPage(Struct, frozen=True):
    version: str
    body: bytes
    read_at: float
    """When its reading began, on the process's clock."""

    @property
    def etag(self) -> str:
        """Weak (RFC 9110, section 8.8.1): pages of one version say the same, but not in the same bytes."""
        return f'W/"{self.version}"'

    def is_known_to(self, scope: Scope) -> bool:
        return self.version in (header_of(scope, b"if-none-match") or "")


class StylePages:
    """Reads the catalogue for many requests at once: it is the same for all of them.

    A request shares a reading with those that wait with it, and never one that had begun when it came: so whoever has
    seen a change is shown it, though nothing is asked twice. Only while a crowd waits is everybody else shown the page
    that was read last, up to a second old, so that a slow database slows down a few and not all. Who waited for a
    reading that found the database away is told so, and waits for no other.
    """

    def __init__(self, handle: ListStylesHandler) -> None:
        self._handle = handle
        self._one_at_a_time = asyncio.Lock()
        self._next: dict[Category | None, asyncio.Task[EncodedPage]] = {}
        self._last: dict[Category | None, EncodedPage] = {}
        self._waiting = 0
        self._failure: Failure | None = None
        self._failed_at = 0.0

    async def page(self, category: Category | None) -> EncodedPage:
        last = self._last.get(category)
        if last is not None and self._waiting >= _CROWD and time.monotonic() - last.read_at < _OLDEST_SECONDS:
            return last
        reading = self._next.get(category)
        if reading is None:
            reading = self._next[category] = asyncio.create_task(self._read(category))
        self._waiting += 1
        try:
            return await asyncio.shield(reading)  # a client that goes away takes nothing from the others
        finally:
            self._waiting -= 1

    async def _read(self, category: Category | None) -> EncodedPage:
        came = time.monotonic()
        async with self._one_at_a_time:
            del self._next[category]
            if self._failure is not None and self._failed_at > came:
                raise self._failure
            began = time.monotonic()
            try:
                styles = await self._handle(ListStyles(category), _EVERYBODY)
            except Failure as failure:
                self._failure, self._failed_at = failure, time.monotonic()
                raise
        page = self._last[category] = EncodedPage(_version(styles), msgspec.json.encode(styles), began)
        return page


def _version(styles: Page[StyleItem]) -> str:
    """The same in every process, and another as soon as anything else is to be seen, or addresses grow old.

    What follows the `?` of a thumbnail's address is its signature, which each process may make for itself.
    """
    shown = [structs.replace(style, thumbnail_url=style.thumbnail_url.partition("?")[0]) for style in styles.items]
    return sha256(msgspec.json.encode((shown, int(time.time() / _RENEWED_SECONDS)))).hexdigest()[:32]


class StyleController(Controller):
    path = "/image/styles"
    tags = ("styles",)

    @get(operation_id="listStyles", responses=refusals(400, 429))
    async def list_styles(
        self, request: AnyRequest, pages: FromDishka[StylePages], category: FromQuery[Category | None] = None
    ) -> Response[Page[StyleItem]]:
        page = await pages.page(category)
        known = page.is_known_to(request.scope)
        return Response(
            b"" if known else page.body,  # type: ignore[arg-type]  # the page, encoded already
            status_code=304 if known else 200,
            headers={"ETag": page.etag, "Cache-Control": CACHE_CONTROL},
        )


class StylesShortcut:
    """Answers for `StyleController` what it would answer, ahead of the framework's routing, which costs more than that.

    Only requests that it knows to the letter; all others go the whole way.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._path = f"{prefix}{StyleController.path}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_known = scope["type"] == ScopeType.HTTP and scope["path"] == self._path and scope["method"] == "GET"
        if is_known and scope["query_string"] in _QUERIES and await self._answers(scope, send):
            scope["path_template"] = self._path
            return
        await self._app(scope, receive, send)

    async def _answers(self, scope: Scope, send: Send) -> bool:
        pages: StylePages = scope["litestar_app"].state.style_pages
        try:
            page = await pages.page(_QUERIES[scope["query_string"]])
        except Failure as failure:  # to ask once more would take as long
            await _refuse(failure, scope, send)
        except Exception:  # noqa: BLE001 - the whole way has an answer to it
            return False
        else:
            await _send(page, scope, send)
        return True


async def _refuse(failure: Failure, scope: Scope, send: Send) -> None:
    problem = problem_of_failure(failure, request_id_of(scope))
    body = encode(problem)
    added = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **headers_of(failure)}
    headers = [(name.lower().encode(), value.encode()) for name, value in added.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send(page: EncodedPage, scope: Scope, send: Send) -> None:
    headers = [(b"etag", page.etag.encode()), (b"cache-control", CACHE_CONTROL.encode())]
    if page.is_known_to(scope):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(page.body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": page.body, "more_body": False})
