"""How a WebSocket is refused before it is opened: with the same problem document as a request."""

import structlog
from litestar.types import Send, WebSocketScope

from domain.errors import Failure
from presentation.http.problems import (
    MEDIA_TYPE,
    Problem,
    encode,
    headers_of,
    problem_of,
    problem_of_failure,
    problem_of_fault,
)

log = structlog.get_logger()


async def refuse_handshake(send: Send, failure: Failure, request_id: str) -> None:
    """Answer by ASGI's extension `websocket.http.response`, which uvicorn has.

    https://asgi.readthedocs.io/en/latest/extensions.html#websocket-denial-response
    """
    headers = [(name.lower().encode(), value.encode()) for name, value in headers_of(failure).items()]
    await answer_handshake(send, problem_of_failure(failure, request_id), headers)


async def refuse_closed_handshake(send: Send, scope: WebSocketScope, reason: str | None, request_id: str) -> None:
    """Say why Litestar closes a handshake: its code is always the same, but only where a handler is it names one."""
    if "route_handler" in scope:
        log.error("internal_error", route=scope.get("path_template"), reason=reason)
        problem = problem_of_fault(request_id)
    else:
        problem = problem_of(404, "not_found", "There is no WebSocket here.", request_id)
    await answer_handshake(send, problem, [])


async def answer_handshake(send: Send, problem: Problem, headers: list[tuple[bytes, bytes]]) -> None:
    about = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"cache-control", b"no-store"),
        (b"x-request-id", problem.request_id.encode()),
    ]
    headers = [*about, *headers]
    await send({"type": "websocket.http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": encode(problem), "more_body": False})
