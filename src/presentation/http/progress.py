"""Watching try-ons as they are made: one by Server-Sent Events, all of one's own by a WebSocket."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
import structlog
from dishka.integrations.litestar import FromDishka, inject_websocket
from litestar import Controller, Response, WebSocket, get, websocket
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter
from litestar.response import Stream
from litestar.types import Send
from msgspec import Struct

from application.images.progress import GoingAway, ProgressEvent
from application.images.watch_image import WatchImage, WatchImageHandler
from application.images.watch_images import WatchImages, WatchImagesHandler
from domain.errors import Failure, Forbidden, Unauthenticated
from presentation.http.authentication import AnyRequest, Authenticator, SignedIn
from presentation.http.documentation import SIGNED_IN, refusals
from presentation.http.handshakes import answer_handshake, refuse_handshake
from presentation.http.metrics import STREAM_BEGAN
from presentation.http.problems import problem_of_fault, request_id_of

log = structlog.get_logger()

AnySocket = WebSocket[Any, Any, Any]
Batches = AsyncIterator[list[ProgressEvent]]
LastEventId = Annotated[str, HeaderParameter(name="Last-Event-ID", pattern="^[0-9]{0,9}$", required=False)]
"""Empty is none, as the HTML standard has it."""

EVENT_STREAM = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
"""As the HTML standard advises, so that proxies keep the connection.
https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes"""
SESSION_ENDED = 4401
"""Close codes from 4000 on are an application's own (RFC 6455, section 7.4.2): 401, as of a request."""
_GOING_AWAY = 1001
_INTERNAL_ERROR = 1011
_EVENTS = "Events, as long as there are any: the fields of each as lines, `data` as JSON on one."
_RETRY = b"retry: 2000\n\n"
_HEARTBEAT = b": all is well\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The second has nginx hand on each event at once."""
_ENDS = (Unauthenticated, Forbidden, GoingAway)
"""The session does not stand any more, or the process is about to end."""


class SentEvent(Struct, frozen=True):
    """One event of a stream, as the OpenAPI document has it: fields of text, which `ProgressEvent` is sent as."""

    id: str
    event: Literal["view", "image"]
    data: str
    """A `ProgressItem` as JSON."""


class ProgressController(Controller):
    path = "/image"
    tags = ("image",)
    security = SIGNED_IN

    @get(
        "/{image_id:int}/events",
        operation_id="watchImage",
        media_type=EVENT_STREAM,
        responses={
            200: ResponseSpec(SentEvent, description=_EVENTS, media_type=EVENT_STREAM),
            204: ResponseSpec(None, description="Everything is told: do not connect again."),
            **refusals(400, 401, 403, 404, 429),
        },
    )
    async def watch(
        self,
        request: AnyRequest,
        image_id: FromPath[int],
        actor: SignedIn,
        handle: FromDishka[WatchImageHandler],
        last_event_id: LastEventId = "",
    ) -> Response[Any]:
        """Tell what happens to a try-on, from its beginning or after `Last-Event-ID`, until it has ended.

        An event has an `id`, the name `view` or `image`, and JSON as its data: `image_id`, `view` (null for the try-on
        itself), `status`, `url`, `error`, `queue_position`, `eta_seconds`, `at`. Comments keep the connection alive.
        """
        batches = handle(WatchImage(image_id, int(last_event_id or 0)), actor)
        try:
            first = await anext(batches)
        except StopAsyncIteration:
            return Response(None, status_code=204)
        request.scope["state"][STREAM_BEGAN] = time.perf_counter()
        return Stream(stream_lines(first, batches), media_type=EVENT_STREAM, headers=_HEADERS)

    @websocket("/ws")
    @inject_websocket
    async def watch_all(self, socket: AnySocket, handle: FromDishka[WatchImagesHandler]) -> None:
        request_id = request_id_of(socket.scope)
        send: Send = socket.send
        try:
            authenticator: Authenticator = socket.app.state.authenticator
            batches = handle(WatchImages(), await authenticator.actor(socket))
            await anext(batches)
        except Failure as failure:
            await refuse_handshake(send, failure, request_id)
            return
        except Exception:  # Litestar would say nothing of it
            log.exception("internal_error", route=socket.scope.get("path_template"))
            await answer_handshake(send, problem_of_fault(request_id), [])
            return
        await socket.accept(headers={"X-Request-ID": request_id})
        await _converse(socket, batches)


def event_lines(events: Sequence[ProgressEvent]) -> bytes:
    """Encode events as the HTML standard has them; JSON has no line breaks of its own."""
    return b"".join(
        b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.event.encode(), msgspec.json.encode(event.data))
        for event in events
    )


async def stream_lines(
    first: list[ProgressEvent], batches: Batches, now: Callable[[], float] = time.monotonic
) -> AsyncIterator[bytes]:
    """What goes over the wire: events as they come, and a comment when there was nothing for a while."""
    yield _RETRY + event_lines(first)
    told_at = now()
    try:
        async for batch in batches:
            if not batch and now() - told_at < HEARTBEAT_SECONDS:
                continue
            yield event_lines(batch) or _HEARTBEAT
            told_at = now()
    except _ENDS:
        return


async def _converse(socket: AnySocket, batches: Batches) -> None:
    """Send what there is to tell until either side ends it; what the other side says is not read."""
    telling = asyncio.create_task(_tell(socket, batches))
    leaving = asyncio.create_task(_wait_until_left(socket))
    try:
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (telling, leaving):
            task.cancel()
        await asyncio.wait({telling, leaving})


async def _tell(socket: AnySocket, batches: Batches) -> None:
    try:
        async for batch in batches:
            for event in batch:
                await socket.send_text(msgspec.json.encode(event).decode())
    except (Unauthenticated, Forbidden):
        await socket.close(SESSION_ENDED, "The session has ended.")
    except GoingAway:
        await socket.close(_GOING_AWAY, "The server is about to end; please connect again.")
    except OSError:
        return  # the other side has left
    except Exception:  # Litestar would say nothing of it
        log.exception("internal_error", route=socket.scope.get("path_template"))
        await socket.close(_INTERNAL_ERROR)


async def _wait_until_left(socket: AnySocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
