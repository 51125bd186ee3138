"""The floor: what the same answers cost with nothing around them.

A minimal Litestar and asyncpg program on the same server (uvicorn, uvloop, httptools, one process). It verifies the
same token with PyJWT and the same claims, makes the very query of the product, and answers JSON of the same shape and
size. It has no session check, container, limiter, headers, log or metrics, and it does not sign picture addresses. It
is not held back either: its pool, like the product's, saves the reset that asyncpg otherwise sends after each query.

`/generate` accepts a try-on by a transaction of four statements, all in all: credits, image, view, outbox. It checks
nothing else, has no ledger of what is held, no log of progress, and rings no bell.

`/events/{id}` is a stream that says once that it is there and then waits for ever: what any open connection costs.

`/styles` is the static handler that the catalogue is compared with: it returns one constant object, made at the start,
which Litestar serialises for each answer, as it does for any handler.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import jwt
import uvicorn
from litestar import Litestar, Request, get, post
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.response import Stream
from msgspec import Struct

from application.pages import Page, cursor_after
from application.styles.ports import StyleItem
from domain.styles import Category
from infrastructure.database.image_readers import GALLERY_QUERY, STATUS_QUERY

AnyRequest = Request[Any, Any, Any]

_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]
_LIMIT = 20
_CONNECTIONS = 10  # as the product's readers have
_BEYOND_EVERY_ID = 2**63 - 1
_UNSIGNED = f"?expires={'0' * 10}&signature={'0' * 40}"


_HOLD = """
UPDATE users SET credits_held = credits_held + 1
WHERE id = $1 AND credits - credits_held - credits_frozen >= 1
RETURNING id
"""
_ADD_IMAGE = """
INSERT INTO images (user_id, style_id, prompt_version, upload_id, folder, status, is_favourite, created_at)
SELECT $1, styles.id, styles.prompt_version, uploads.id, $4, 'PENDING', false, now()
FROM styles, uploads WHERE styles.id = $2 AND uploads.key = $3 AND uploads.user_id = $1
RETURNING id
"""
_ADD_VIEW = """
INSERT INTO views (image_id, view, status, round, attempt, claim, stumbles, accepted_at, deadline_at, due_at)
VALUES ($1, 'front', 'PENDING', 1, 0, 0, 0, now(), now() + interval '1 hour', now())
RETURNING id
"""
_ANNOUNCE = """
INSERT INTO outbox (job, payload, due_at)
VALUES ('submit_view', jsonb_build_object('view_id', $1::bigint), now() + interval '5 seconds')
"""


class Wanted(Struct):
    style_id: int
    image_input_url: str


class Accepted(Struct):
    image_id: int
    credits_held: int
    message: str


class Connection(asyncpg.Connection):  # type: ignore[misc]
    def get_reset_query(self) -> str:
        return ""


def customer_of(request: AnyRequest) -> int:
    """Tell who asks, or refuse with 401."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(
            token,
            request.app.state.secret_key,
            algorithms=["HS256"],
            audience="hair-tryon-api",
            issuer="hair-tryon",
            leeway=timedelta(seconds=30),
            options={"require": _CLAIMS},
        )
    except jwt.InvalidTokenError as refused:
        raise NotAuthorizedException from refused
    return int(claims["sub"])


@get("/status/{image_id:int}")
async def status(request: AnyRequest, image_id: int) -> dict[str, Any]:
    state = request.app.state
    rows = await state.pool.fetch(STATUS_QUERY, image_id, customer_of(request))
    if not rows:
        raise NotFoundException
    return {**item(rows, state.media), "queue_position": None, "eta_seconds": None}


@post("/generate", status_code=202)
async def generate(request: AnyRequest, data: Wanted) -> Accepted:
    owner = customer_of(request)
    key = data.image_input_url.partition("/media/")[2]
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        held = await connection.fetchval(_HOLD, owner)
        if held is None:
            raise PermissionDeniedException
        image_id = await connection.fetchval(_ADD_IMAGE, owner, data.style_id, key, secrets.token_urlsafe(24))
        view_id = await connection.fetchval(_ADD_VIEW, image_id)
        await connection.execute(_ANNOUNCE, view_id)
    return Accepted(image_id, 1, "Accepted: the pictures are on their way.")


@get("/events/{image_id:int}")
async def events(request: AnyRequest, image_id: int) -> Stream:
    customer_of(request)
    return Stream(_silence(image_id), media_type="text/event-stream")


async def _silence(image_id: int) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    await asyncio.Event().wait()
    yield b"id: %d\n\n" % image_id


@get("/images")
async def gallery(request: AnyRequest) -> dict[str, Any]:
    state = request.app.state
    rows = await state.pool.fetch(GALLERY_QUERY, customer_of(request), _BEYOND_EVERY_ID, _LIMIT + 1)
    images: dict[int, list[asyncpg.Record]] = {}
    for row in rows:
        images.setdefault(row["id"], []).append(row)
    items = [item(rows, state.media) for rows in images.values()][:_LIMIT]
    return {"items": items, "next_cursor": cursor_after(items[-1]["id"]) if len(images) > _LIMIT else None}


@get("/styles")
async def styles(request: AnyRequest) -> Page[StyleItem]:
    catalogue: Page[StyleItem] = request.app.state.catalogue
    return catalogue


def item(rows: Sequence[asyncpg.Record], media: str) -> dict[str, Any]:
    first = rows[0]
    views = []
    urls: dict[str, str] = {}
    stored = None
    for row in rows:
        url = taken = None
        if row["view_status"] == "COMPLETED":
            url = urls[row["view"]] = f"{media}/{row['output_key']}{_UNSIGNED}"
            taken = (row["finished_at"] - row["accepted_at"]).total_seconds()
            stored = max(stored, row["finished_at"]) if stored else row["finished_at"]
        views.append(
            {"view": row["view"], "status": row["view_status"], "url": url, "error": row["error"], "time_taken": taken}
        )
    return {
        "id": first["id"],
        "status": first["status"],
        "style_id": first["style_id"],
        "style_name": first["style_name"],
        "description": first["description"],
        "input_image_url": f"{media}/{first['input_key']}{_UNSIGNED}",
        "output_image_url": urls.get("front"),
        "right_view_url": urls.get("right"),
        "left_view_url": urls.get("left"),
        "back_view_url": urls.get("back"),
        "views": views,
        "is_favourite": first["is_favourite"],
        "time_taken": (stored - first["created_at"]).total_seconds() if stored else None,
        "error": {"code": first["error"], "message": first["error"]} if first["status"] == "FAILED" else None,
        "created_at": first["created_at"],
    }


def create_app(database_url: str, secret_key: str, public_url: str) -> Litestar:
    @asynccontextmanager
    async def with_pool(app: Litestar) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            database_url, min_size=0, max_size=_CONNECTIONS, connection_class=Connection
        ) as app.state.pool:
            app.state.catalogue = await _catalogue(app.state.pool, app.state.media)
            yield

    app = Litestar(
        [status, gallery, styles, generate, events], lifespan=[with_pool], openapi_config=None, logging_config=None
    )
    app.state.secret_key = secret_key
    app.state.media = f"{public_url}/media"
    return app


async def _catalogue(pool: asyncpg.Pool, media: str) -> Page[StyleItem]:
    rows = await pool.fetch("SELECT id, name, description, category, thumbnail FROM styles ORDER BY position")
    return Page(
        [
            StyleItem(id_, name, description, Category(category), f"{media}/{thumbnail}{_UNSIGNED}")
            for id_, name, description, category, thumbnail in rows
        ],
        None,
    )


def main() -> None:
    environ = os.environ
    app = create_app(environ["DATABASE_URL"], environ["SECRET_KEY"], environ["PUBLIC_URL"])
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_config=None)


if __name__ == "__main__":
    main()
