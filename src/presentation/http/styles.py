"""The public catalogue."""

from hashlib import sha256

import msgspec
from dishka.integrations.litestar import FromDishka
from litestar import Controller, Request, Response, get
from litestar.di import Provide

from application.actor import Actor
from application.pages import Page
from application.styles.list_styles import ListStyles, ListStylesHandler
from application.styles.ports import StyleItem
from domain.styles import Category
from presentation.http.authentication import AnyRequest, provide_visitor
from presentation.http.documentation import refusals

CACHE_CONTROL = "public, max-age=60"


class StyleController(Controller):
    path = "/image/styles"
    tags = ("styles",)
    dependencies = {"visitor": Provide(provide_visitor)}  # noqa: RUF012 - Litestar's shape

    @get(operation_id="listStyles", responses=refusals(400, 429))
    async def list_styles(
        self,
        request: AnyRequest,
        visitor: Actor,
        handle: FromDishka[ListStylesHandler],
        category: Category | None = None,
    ) -> Response[Page[StyleItem]]:
        page = await handle(ListStyles(category), visitor)
        return _cacheable(request, page)


def _cacheable(request: Request, page: Page[StyleItem]) -> Response[Page[StyleItem]]:  # type: ignore[type-arg]
    etag = f'"{sha256(msgspec.json.encode(page)).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": CACHE_CONTROL}
    if etag in request.headers.get("if-none-match", ""):
        return Response(None, status_code=304, headers=headers)  # type: ignore[arg-type]
    return Response(page, headers=headers)
