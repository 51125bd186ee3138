"""The server's end of a WebSocket on which only the server speaks."""

import secrets
from asyncio import BaseTransport, TimerHandle
from typing import Any

import structlog
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.http11 import Response

from presentation.http.problems import MEDIA_TYPE, encode, problem_of, request_id_of

log = structlog.get_logger()

MOST_HEARD = 16 * 1024
"""Bytes that a client may say in a minute. It owes a pong of ten bytes every twenty seconds, and a close at the end."""
_MINUTE = 60.0
STALLED_SECONDS = 20.0
"""For which a client may leave unread what was sent; it is as long as uvicorn waits for a pong."""


class OneWayProtocol(WebSocketsSansIOProtocol):
    """What uvicorn does for a WebSocket, and where it would let one client have what belongs to all.

    uvicorn parses what it receives in one go and answers every ping in it, whether the client reads the pongs or not:
    frames of six bytes keep the event loop from everybody else. Here a client that talks, or that does not read, is cut
    off. A handshake that cannot be parsed is answered, for uvicorn leaves it waiting. Of uvicorn's own it uses
    `conn`, `handshake_initiated`, `handshake_complete`, `loop`, `scope` and `transport`.
    """

    _heard = 0
    _heard_since = float("-inf")
    _stall: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)  # so that whatever the client does not take counts as a stall

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            super().data_received(data)
            if self.conn.handshake_exc is not None and not self.handshake_initiated:
                self._refuse_unreadable(self.conn.handshake_exc)
        elif self._may_say(len(data)):
            super().data_received(data)
        else:
            self._cut_off("talks")

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = self.loop.call_later(STALLED_SECONDS, self._cut_off, "does_not_read")

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_stall()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_stall()
        super().connection_lost(exc)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # or uvicorn takes a refusal for an application that forgot to answer

    def _may_say(self, size: int) -> bool:
        now = self.loop.time()
        if now - self._heard_since > _MINUTE:
            self._heard_since, self._heard = now, 0
        self._heard += size
        return self._heard <= MOST_HEARD

    def _cut_off(self, reason: str) -> None:
        """Without a word: a close would wait behind what the client does not read."""
        scope = getattr(self, "scope", {})  # a handshake that uvicorn refused has none
        log.warning("socket_cut_off", reason=reason, request_id=request_id_of(scope))
        self.transport.abort()

    def _end_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _refuse_unreadable(self, reason: Exception) -> None:
        request_id = secrets.token_hex(16)
        log.info("handshake_unreadable", reason=type(reason).__name__, request_id=request_id)
        detail = "The handshake has a line that is too long, or too many headers."
        body = encode(problem_of(400, "validation_failed", detail, request_id))
        headers = Headers(
            {
                "Content-Type": MEDIA_TYPE,
                "Content-Length": str(len(body)),
                "Cache-Control": "no-store",
                "Connection": "close",
                "X-Request-ID": request_id,
            }
        )
        self.transport.write(Response(400, "Bad Request", headers, body).serialize())
        self.transport.close()
